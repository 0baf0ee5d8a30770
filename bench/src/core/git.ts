import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../stats.ts';
import { type Command, runTimed } from './command.ts';
import type { Pair } from './texts.ts';

/** Copies of a pair of files, so that what git takes for one more is its time without its start. */
export interface GitPair extends Disposable {
  copies: number;
  /** What `git diff` prints, from the first hunk on. */
  hunks(): Promise<Buffer>;
  /** Milliseconds of a diff, with reading both files and hashing them for the line `index`. */
  diffTime(): Promise<number>;
  /** Milliseconds of that reading and hashing. */
  hashTime(): Promise<number>;
}

/** The copies together keep git at work for about so long: many times its start. */
const AT_WORK_MS = 300;

/** @param milliseconds what one diff takes, about */
export function openGitPair(git: string, { before, after }: Pair, milliseconds: number): GitPair {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-bench-git-'));
  const copies = Math.min(257, Math.max(9, Math.ceil(AT_WORK_MS / milliseconds)));
  for (const count of [1, copies]) {
    for (const [side, contents] of Object.entries({ a: before, b: after })) {
      mkdirSync(join(folder, `${count}`, side), { recursive: true });
      for (let copy = 0; copy < count; copy++) writeFileSync(join(folder, `${count}`, side, `${copy}`), contents);
    }
  }
  const command = (count: number, args: readonly string[]): Command => ({
    command: git,
    args,
    cwd: join(folder, `${count}`),
    // No configuration of the person or of the machine; no repository around the folder either.
    env: { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_CEILING_DIRECTORIES: tmpdir() },
    // 1: there are differences.
    allowed: [0, 1],
  });
  const diff = (count: number) =>
    command(count, ['diff', '--no-index', '--no-ext-diff', '--no-renames', '--no-color', '--histogram', 'a', 'b']);
  const hash = (count: number) => {
    const files = ['a', 'b'].flatMap((side) => Array.from({ length: count }, (_, copy) => `${side}/${copy}`));
    return command(count, ['hash-object', '--no-filters', ...files]);
  };
  const forOne = async (ask: (count: number) => Command) => {
    const middle = async (count: number) => {
      const times: number[] = [];
      for (let i = 0; i < 3; i++) times.push((await runTimed(ask(count))).milliseconds);
      return median(times);
    };
    const time = ((await middle(copies)) - (await middle(1))) / (copies - 1);
    if (time <= 0) throw new Error(`git took no time for ${copies - 1} diffs: the machine has too much else to do`);
    return time;
  };
  return {
    copies,
    async hunks() {
      const { output } = await runTimed(diff(1));
      return output.subarray(output.indexOf('\n@@ ') + 1);
    },
    diffTime: () => forOne(diff),
    hashTime: () => forOne(hash),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
