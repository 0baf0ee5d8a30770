import type { Query, SearchIndex } from '@millwright/native-wasm';
import { type Measure, measure } from '../report.ts';
import { type Command, runTimed, startTime } from './command.ts';
import { batches, type Corpus, type SourceFile } from './corpus.ts';
import { BATCH_BYTES } from './index-build.ts';
import { Random } from './random.ts';
import { inTurn } from './turns.ts';
import { sameWork, type Work } from './work.ts';

/** How many queries of each kind. */
const QUERIES = 20;

/** Literal queries, all hits with their lines, beside ripgrep on a warm page cache. */
export async function measureQueries(
  work: Work,
  corpus: Corpus,
  report: (fraction: number) => void,
): Promise<Measure[]> {
  using index = work.core.createIndex();
  for (const batch of batches(corpus.files, BATCH_BYTES)) index.put(batch);
  const most = work.scaled(10_000);
  const kinds = [
    {
      name: 'few hits',
      patterns: patterns(index, rareWords(corpus.files), (hits) => hits > 0 && hits <= 20),
      bound: 20,
    },
    { name: 'many hits', patterns: patterns(index, frequentWords(corpus.files), (hits) => hits >= most), bound: 2 },
  ];
  const measures: Measure[] = [];
  for (const { name, patterns, bound } of kinds) {
    measures.push(await besideRipgrep(work, corpus, index, name, patterns, bound));
    report(measures.length / kinds.length);
  }
  return measures;
}

async function besideRipgrep(
  { peers, rounds }: Work,
  corpus: Corpus,
  index: SearchIndex,
  kind: string,
  patterns: readonly string[],
  bound: number,
): Promise<Measure> {
  const name = `${QUERIES} literal queries, ${kind}, beside ripgrep`;
  const ripgrep = (args: readonly string[]): Command => ({
    command: peers.ripgrep,
    // No configuration; every file of the tree, as in the index.
    args: ['--no-config', '--no-ignore', '--hidden', '--color=never', '--no-heading', ...args],
    cwd: corpus.folder,
    // 1: nothing was found.
    allowed: [0, 1],
  });
  const start = await startTime(ripgrep(['--version']));
  const lines = new Map<string, number>();
  for (const pattern of patterns) {
    const hits = all(index, { pattern });
    const counted = await runTimed(
      ripgrep(['--fixed-strings', '--count-matches', '--no-filename', '--', pattern, '.']),
    );
    sameWork(`${name}: ${pattern}`, hits.length, sum(counted.output.toString('latin1').split('\n').map(Number)));
    lines.set(pattern, new Set(hits.map(({ path, line }) => `${Buffer.from(path).toString('latin1')}:${line}`)).size);
  }
  const ours = () => {
    const before = performance.now();
    for (const pattern of patterns) all(index, { pattern });
    return (performance.now() - before) / patterns.length;
  };
  const theirs = async () => {
    let total = 0;
    for (const pattern of patterns) {
      const { milliseconds, output } = await runTimed(
        ripgrep(['--fixed-strings', '--line-number', '--', pattern, '.']),
      );
      total += milliseconds - start;
      sameWork(
        `${name}: lines of ${pattern}`,
        lines.get(pattern) ?? 0,
        output.toString('latin1').split('\n').length - 1,
      );
    }
    return total / patterns.length;
  };
  ours();
  const turns = await inTurn(rounds, ours, theirs);
  const speed = (times: readonly number[]) => times.map((ms) => 1000 / ms);
  return measure(name, 'queries/s', speed(turns.ours), { at: 'least', bound, of: 'ripgrep' }, speed(turns.theirs));
}

const all = (index: SearchIndex, query: Query) => index.search(query, { limit: 2 ** 31 }).hits;

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The first of the words with a number of hits that is asked for. */
function patterns(index: SearchIndex, words: Iterable<string>, accepts: (hits: number) => boolean): string[] {
  const found: string[] = [];
  for (const pattern of words) {
    if (accepts(index.count({ pattern }).hits)) found.push(pattern);
    if (found.length === QUERIES) return found;
  }
  throw new Error(`only ${found.length} of ${QUERIES} queries have so many hits`);
}

const wordsOf = ({ contents }: SourceFile): string[] =>
  Buffer.from(contents)
    .toString('latin1')
    .match(/[A-Za-z_]\w{7,}/g) ?? [];

/** Long words from all over the tree, each once. */
export function* rareWords(files: readonly SourceFile[]): Generator<string> {
  const random = new Random(files.length);
  const seen = new Set<string>();
  for (const file of random.shuffled(files)) {
    const words = wordsOf(file).filter((word) => word.length >= 12);
    const word = words[random.below(Math.max(1, words.length))];
    if (word === undefined || seen.has(word)) continue;
    seen.add(word);
    yield word;
  }
}

/** Words by how frequent they are in a sample of the tree, the most frequent first. */
export function frequentWords(files: readonly SourceFile[]): string[] {
  const counts = new Map<string, number>();
  for (const file of new Random(files.length).shuffled(files).slice(0, 500))
    for (const word of wordsOf(file)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([word]) => word);
}
