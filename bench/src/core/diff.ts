import type { Core, TextDiff } from '@millwright/native-wasm';
import { createTwoFilesPatch } from 'diff';
import { type Measure, measure } from '../report.ts';
import { adversarialPairs } from './adversarial.ts';
import { readNativeDiff } from './answers.ts';
import { openGitPair } from './git.ts';
import { editedPair, type Pair } from './texts.ts';
import { inTurn, pairsFor, perSecond, timed, warmUp } from './turns.ts';
import { sameWork, type Work } from './work.ts';

/** npm `diff` takes minutes where it is at its worst; it is stopped after this. */
const LIMIT_MS = 30_000;

/** npm `diff` finds the fewest changed lines there are; a histogram finds what people read well, so many times as many at most. */
const MOST_MORE_CHANGES = 2;

/** What has more than one shortest answer, git answers about as short. */
const MOST_LONGER_HUNKS = 1.1;

const decoder = new TextDecoder();

/** Diffs from bytes to the bytes of hunks, beside npm `diff`, the same crate compiled natively, and git. */
export async function measureDiff(work: Work, report: (fraction: number) => void): Promise<Measure[]> {
  const pairs = [
    editedPair(work.scaled(2000)),
    editedPair(work.scaled(20_000)),
    ...adversarialPairs(work.scaled(4000)),
  ];
  const measures: Measure[] = [];
  for (const [index, pair] of pairs.entries()) {
    const diff = checked(work.core, pair);
    const ours = () => work.core.diffTexts([pair]);
    const milliseconds = warmUp(ours);
    measures.push(
      await besideNpm(work, pair, diff, ours),
      await besideNative(work, pair, diff, ours, milliseconds),
      ...(await besideGit(work, pair, diff, ours, milliseconds)),
    );
    report((index + 1) / pairs.length);
  }
  return measures;
}

/** The diff, after a look whether it is one: applied to the text before it makes the one after. */
function checked(core: Core, pair: Pair): TextDiff {
  const [diff] = core.diffTexts([pair]);
  if (diff === undefined) throw new Error('no diff of a pair');
  const patch = Buffer.concat([Buffer.from('--- a/f\n+++ b/f\n'), diff.hunks]);
  const { written } = core.applyPatch(patch, [{ path: 'f', mode: 0o100644, contents: pair.before }]);
  if (!written[0] || !Buffer.from(pair.after).equals(written[0].contents))
    throw new Error(`${pair.name}: the diff does not make the one text from the other`);
  return diff;
}

async function besideNpm({ rounds }: Work, pair: Pair, diff: TextDiff, ours: () => void): Promise<Measure> {
  let patch: string | undefined;
  const theirs = () => {
    const [before, after] = [decoder.decode(pair.before), decoder.decode(pair.after)];
    patch = createTwoFilesPatch('a', 'b', before, after, undefined, undefined, { context: 3, timeout: LIMIT_MS });
  };
  const milliseconds = warmUp(theirs);
  const unit = 'diffs/s';
  const name = `diff: ${pair.name}, beside npm diff`;
  const target = { at: 'least', bound: 10, of: 'npm diff' } as const;
  if (patch === undefined) {
    const { ours: times } = await inTurn(5 * rounds, timed(ours), () => LIMIT_MS);
    const limit = times.map(() => LIMIT_MS);
    return { ...measure(name, unit, perSecond(times), target, perSecond(limit)), peerStopped: true };
  }
  const changes = diff.added + diff.removed;
  const theirChanges = changedLines(patch);
  sameWork(name, Math.max(changes, theirChanges), theirChanges, MOST_MORE_CHANGES - 1);
  const turns = await inTurn(pairsFor(rounds, milliseconds), timed(ours), timed(theirs));
  return measure(name, unit, perSecond(turns.ours), target, perSecond(turns.theirs));
}

/** Lines that a unified diff adds or removes. */
export const changedLines = (patch: string): number =>
  patch
    .split(/^@@ .*\n/m)
    .slice(1)
    .join('')
    .match(/^[+-]/gm)?.length ?? 0;

async function besideNative(
  { rounds, peers }: Work,
  pair: Pair,
  diff: TextDiff,
  ours: () => void,
  milliseconds: number,
): Promise<Measure> {
  const name = `diff: ${pair.name}, beside native`;
  const times = Math.max(1, Math.round(50 / milliseconds));
  const theirs = async () => {
    const request = `diff ${times} ${pair.before.length} ${pair.after.length}\n`;
    const answer = readNativeDiff(await peers.native.ask(request, pair.before, pair.after), times);
    sameWork(name, diff.hunks.length, answer.bytes);
    return answer.milliseconds;
  };
  await theirs();
  const turns = await inTurn(pairsFor(rounds, milliseconds), timed(ours), theirs);
  return measure(name, 'ms', turns.ours, { at: 'most', bound: 1.5, of: 'native' }, turns.theirs);
}

async function besideGit(
  { rounds, peers }: Work,
  pair: Pair,
  diff: TextDiff,
  ours: () => void,
  milliseconds: number,
): Promise<Measure[]> {
  const name = `diff: ${pair.name}, beside git`;
  using git = openGitPair(peers.git, pair, milliseconds);
  const hunks = await git.hunks();
  if (!hunks.equals(diff.hunks)) sameWork(name, diff.hunks.length, hunks.length, MOST_LONGER_HUNKS - 1);
  const hashing: number[] = [];
  const turns = await inTurn(2 * rounds, timed(ours), async () => {
    hashing.push(await git.hashTime());
    return git.diffTime();
  });
  const withoutHashing = turns.theirs.map((time, index) => time - (hashing[index] ?? 0));
  return [
    measure(name, 'ms', turns.ours, { at: 'most', bound: 1, of: 'git' }, turns.theirs),
    measure(`${name} without reading and hashing`, 'ms', turns.ours, undefined, withoutHashing),
  ];
}
