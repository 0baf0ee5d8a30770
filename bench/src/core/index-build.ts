import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Measure, measure } from '../report.ts';
import { type Command, runTimed, startTime } from './command.ts';
import { batches, type Corpus } from './corpus.ts';
import { inTurn } from './turns.ts';
import type { Work } from './work.ts';

/** What is handed to the core at once. */
export const BATCH_BYTES = 8 * 2 ** 20;

/** Builds an index of a tree, beside universal-ctags. Files are in memory on our side and in the page cache on the other. */
export async function measureIndexBuild(
  { core, peers, rounds }: Work,
  corpus: Corpus,
  report: (fraction: number) => void,
): Promise<Measure[]> {
  const name = `index build of ${megabytes(corpus.bytes)} MB, beside ctags`;
  const list = join(corpus.folder, 'files');
  writeFileSync(list, corpus.files.map(({ path }) => `${path}\n`).join(''));
  const ctags = (args: readonly string[]): Command => ({
    command: peers.ctags,
    // Its quickest way: without options of the person, without sorting what it finds.
    args: ['--options=NONE', '--languages=Go', '--sort=no', '-f', '-', ...args],
    cwd: corpus.folder,
  });
  const start = await startTime(ctags(['--version']));
  let done = 0;
  const ours = () => {
    using index = core.createIndex();
    const before = performance.now();
    for (const batch of batches(corpus.files, BATCH_BYTES)) {
      const skipped = index.put(batch).findIndex((reason) => reason !== undefined);
      if (skipped >= 0) throw new Error(`${name}: ${batch[skipped]?.path} was skipped`);
    }
    return performance.now() - before;
  };
  const theirs = async () => {
    const { milliseconds, output } = await runTimed(ctags(['-L', list]));
    if (output.length < corpus.files.length) throw new Error(`${name}: ctags has found hardly anything`);
    report(++done / (2 * rounds + 1));
    return milliseconds - start;
  };
  ours();
  await theirs();
  const turns = await inTurn(2 * rounds, ours, theirs);
  rmSync(list);
  const speed = (times: readonly number[]) => times.map((ms) => corpus.bytes / 1000 / ms);
  const target = { at: 'least', bound: 2, of: 'ctags' } as const;
  return [measure(name, 'MB/s', speed(turns.ours), target, speed(turns.theirs))];
}

export const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
