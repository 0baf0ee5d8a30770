import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Core } from '@millwright/native-wasm';
import { type Measure, measure } from '../report.ts';
import { type Planted, readGitleaksScan, readPlanted } from './answers.ts';
import { batches, type Corpus, type SourceFile, upTo } from './corpus.ts';
import { BATCH_BYTES, megabytes } from './index-build.ts';
import { inTurn } from './turns.ts';
import type { Work } from './work.ts';

/** Gitleaks takes many seconds for it. */
const SCANNED_BYTES = 4_000_000;

/** Scans source code for secrets, and texts in which some were planted, beside gitleaks. */
export async function measureSecrets(
  work: Work,
  corpus: Corpus,
  report: (fraction: number) => void,
): Promise<Measure[]> {
  const speed = await scanSpeed(work, corpus, report);
  return [...speed, ...(await recall(work, corpus))];
}

async function scanSpeed(
  { core, peers, cleanup, rounds, scaled }: Work,
  corpus: Corpus,
  report: (fraction: number) => void,
): Promise<Measure[]> {
  const { files, bytes } = upTo(corpus.files, scaled(SCANNED_BYTES));
  const gitleaks = peers.gitleaks(listOf(corpus.folder, files, cleanup));
  const name = `secret scan of ${megabytes(bytes)} MB on one core, beside gitleaks`;
  const found = { ours: 0, theirs: 0 };
  let done = 0;
  const ours = () => {
    const before = performance.now();
    found.ours = 0;
    for (const batch of batches(files, BATCH_BYTES))
      found.ours += core.scanSecrets(batch).reduce((count, { length }) => count + length, 0);
    return performance.now() - before;
  };
  const theirs = async () => {
    const scan = readGitleaksScan(await gitleaks.ask('\n'));
    if (scan.bytes !== bytes) throw new Error(`${name}: gitleaks has scanned ${scan.bytes} bytes of ${bytes}`);
    found.theirs = scan.findings.length;
    report(++done / (rounds + 1));
    return scan.milliseconds;
  };
  ours();
  await theirs();
  const turns = await inTurn(rounds, ours, theirs);
  const perSecond = (times: readonly number[]) => times.map((ms) => bytes / 1000 / ms);
  const perMegabyte = (count: number) => [count / (bytes / 1e6)];
  const target = { at: 'least', bound: 5, of: 'gitleaks' } as const;
  return [
    measure(name, 'MB/s', perSecond(turns.ours), target, perSecond(turns.theirs)),
    measure(
      'findings in source code without secrets, beside gitleaks',
      'per MB',
      perMegabyte(found.ours),
      undefined,
      perMegabyte(found.theirs),
    ),
  ];
}

/** Writes a list of the files for gitleaks. */
function listOf(folder: string, files: readonly SourceFile[], cleanup: Work['cleanup']): string {
  const list = `${folder}.list`;
  writeFileSync(list, files.map(({ path }) => `${join(folder, path)}\0`).join(''));
  cleanup.add(async () => rmSync(list, { force: true }));
  return list;
}

/** The share that is found of secrets made from the examples of our rules, and of those made after what gitleaks finds. */
async function recall({ core, peers, cleanup }: Work, corpus: Corpus): Promise<Measure[]> {
  const planted = readPlanted(await peers.native.ask('planted 2026\n'));
  const folder = `${corpus.folder}-planted`;
  cleanup.add(async () => rmSync(folder, { recursive: true, force: true }));
  const files = planted.map(({ path, text }, index) => ({ path: `${index}/${path}`, contents: Buffer.from(text) }));
  for (const { path, contents } of files) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), contents);
  }
  await using gitleaks = peers.gitleaks(listOf(folder, files, cleanup));
  const theirs: string[][] = files.map(() => []);
  for (const { file, secret } of readGitleaksScan(await gitleaks.ask('\n')).findings) theirs[file]?.push(secret);
  const ours = scan(core, files);
  return ['core', 'gitleaks'].map((set) => {
    const ofSet = planted.flatMap((one, index) =>
      one.set === set
        ? [{ name: one.name, ours: isFound(one, ours[index] ?? []), theirs: isFound(one, theirs[index] ?? []) }]
        : [],
    );
    const share = (side: 'ours' | 'theirs') => [(100 * ofSet.filter((one) => one[side]).length) / ofSet.length];
    const name = `recall of ${ofSet.length} planted secrets of ${set === 'core' ? 'our rules' : 'what gitleaks knows'}, beside gitleaks`;
    return {
      ...measure(name, '%', share('ours'), { at: 'least', bound: 1, of: 'gitleaks' }, share('theirs')),
      // By template, how many we have missed.
      breakdown: counts(ofSet.filter((one) => !one.ours).map((one) => one.name)),
    };
  });
}

/** What was found in each file. */
function scan(core: Core, files: readonly { path: string; contents: Buffer }[]): string[][] {
  const findings = core.scanSecrets(files);
  return findings.map((found, index) =>
    found.map(({ start, end }) => files[index]?.contents.subarray(start, end).toString('utf8') ?? ''),
  );
}

/** Rules differ in what they show around a secret, and in how much of it: one of both has to be in the other. */
export const isFound = ({ secret }: Pick<Planted, 'secret'>, found: readonly string[]): boolean =>
  found.some((one) => one !== '' && (one.includes(secret) || secret.includes(one)));

export function counts(names: readonly string[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const name of names) all[name] = (all[name] ?? 0) + 1;
  return all;
}
