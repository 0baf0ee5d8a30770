import type { Core } from '@millwright/native-wasm';
import { applyPatch } from 'diff';
import { type Measure, measure } from '../report.ts';
import { median, slope } from '../stats.ts';
import { spreadPair } from './texts.ts';
import { inTurn, pairsFor, perSecond, timed, warmUp } from './turns.ts';
import type { Work } from './work.ts';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

interface Application {
  name: string;
  patch: Uint8Array;
  before: Uint8Array;
  after: Uint8Array;
}

/** Applies a patch of many hunks to a large file, from bytes to bytes, beside npm `diff`. */
export async function measureApply(work: Work, report: (fraction: number) => void): Promise<Measure[]> {
  const inPlace = spreadApplication(work.core, work.scaled(5000));
  const measures: Measure[] = [];
  for (const application of [inPlace, movedByALine(inPlace)]) {
    measures.push(await besideNpm(work, application));
    report(measures.length / 3);
  }
  return [...measures, await growth(work)];
}

function spreadApplication(core: Core, hunks: number): Application {
  const { name, before, after } = spreadPair(hunks);
  const [diff] = core.diffTexts([{ before, after }]);
  if (diff?.changes.length !== hunks) throw new Error(`${diff?.changes.length} hunks instead of ${hunks}`);
  const patch = Buffer.concat([Buffer.from('--- a/f\n+++ b/f\n'), diff.hunks]);
  return { name: `${name} in ${(before.length / 2 ** 20).toFixed(1)} MiB`, patch, before, after };
}

/** As when somebody else has added a line at the start: no hunk is where it says. */
function movedByALine({ name, patch, before, after }: Application): Application {
  const moved = (text: Uint8Array) => Buffer.concat([Buffer.from('// one more line\n'), text]);
  return { name: `${name}, moved by a line`, patch, before: moved(before), after: moved(after) };
}

function apply(core: Core, { patch, before }: Application): Uint8Array | undefined {
  return core.applyPatch(patch, [{ path: 'f', mode: 0o100644, contents: before }]).written[0]?.contents;
}

async function besideNpm({ core, rounds }: Work, application: Application): Promise<Measure> {
  const name = `applying ${application.name}, beside npm diff`;
  const ours = () => check(name, apply(core, application), application);
  const theirs = () => {
    const applied = applyPatch(decoder.decode(application.before), decoder.decode(application.patch));
    check(name, applied === false ? undefined : encoder.encode(applied), application);
  };
  warmUp(ours);
  const milliseconds = warmUp(theirs);
  const turns = await inTurn(pairsFor(rounds, milliseconds), timed(ours), timed(theirs));
  const target = { at: 'least', bound: 10, of: 'npm diff' } as const;
  return measure(name, 'patches/s', perSecond(turns.ours), target, perSecond(turns.theirs));
}

/** The length says that it was applied; whether rightly is for the tests of the core. */
function check(name: string, applied: Uint8Array | undefined, { after }: Application): void {
  if (applied?.length !== after.length) throw new Error(`${name}: it was not applied`);
}

/** How the time grows when file and patch do: a line through the logarithms of both. 1 is linear, 2 quadratic. */
async function growth({ core, rounds, scaled }: Work): Promise<Measure> {
  const sizes = [1250, 2500, 5000, 10_000].map(scaled);
  const applications = sizes.map((hunks) => spreadApplication(core, hunks));
  for (const application of applications) warmUp(() => apply(core, application));
  const exponents: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const points: { x: number; y: number }[] = [];
    for (const application of applications) {
      const sample = timed(() => apply(core, application));
      const time = median([sample(), sample(), sample()]);
      points.push({ x: Math.log(application.before.length), y: Math.log(time) });
    }
    exponents.push(slope(points));
  }
  const name = `applying ${sizes[0]} to ${sizes.at(-1)} hunks: growth with the size`;
  return measure(name, 'as exponent', exponents, { at: 'most', bound: 1.15 });
}
