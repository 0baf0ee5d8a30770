import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { objections, type Property, properties } from './properties.ts';
import { decisions, type Scenario, scenarios } from './scenario.ts';

const help = `Usage: npm run search [-- --minutes M] [--only TEXT] [--seed S]

Looks for an order of events that breaks what is to hold of every Workflow, in scenarios that no run has tried before. What it finds it
makes as small as it can, and writes it down step by step. Exit code 1 when it found something.

  --minutes M   how long in all, shared among the properties (default 10)
  --only TEXT   only properties with this text in their names
  --seed S      where to begin, to see what a run has found once more

The properties:
${properties.map(({ what }) => `  ${what}`).join('\n')}`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    minutes: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
    seed: { type: 'string' },
  },
});
if (values.help) console.log(help);
else process.exitCode = (await searchAll()) ? 0 : 1;

/** True when nothing was found. */
async function searchAll(): Promise<boolean> {
  const wanted = properties.filter(({ what }) => what.includes(values.only));
  const minutes = Number(values.minutes);
  const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
  const wrong = [
    ...(minutes > 0 ? [] : [`--minutes: ${values.minutes} is not a number above 0`]),
    ...(Number.isSafeInteger(seed) ? [] : [`--seed: ${values.seed} is not a whole number`]),
    ...(wanted.length > 0 ? [] : [`--only: no property has "${values.only}" in its name; --help lists them`]),
  ];
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) return false;
  let isSound = true;
  for (const [index, property] of wanted.entries()) {
    console.error(`  … ${property.what} (${Math.ceil((minutes * 60) / wanted.length)} s)`);
    isSound = (await search(property, seed, (minutes * 60_000) / wanted.length, index)) && isSound;
  }
  return isSound;
}

async function search(property: Property, seed: number, milliseconds: number, index: number): Promise<boolean> {
  const { failed, numRuns, counterexample } = await fc.check(
    fc.asyncProperty(scenarios, decisions, async (scenario, chosen) => {
      const found = await objections(property, scenario, chosen);
      if (found.length > 0) throw new Error(found.join('; '));
    }),
    { seed, numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: milliseconds },
  );
  if (!failed || !counterexample) {
    console.error(`  ✓ ${property.what}: ${numRuns} scenarios`);
    return true;
  }
  const [scenario, chosen] = counterexample;
  const file = join(tmpdir(), `millwright-search-${seed}-${index}.txt`);
  const found = await writeDown(file, property, scenario, chosen);
  console.error(`  ✗ ${property.what}: ${found.join('; ')}`);
  console.error(`    after ${numRuns} scenarios from seed ${seed}; step by step in ${file}`);
  return false;
}

async function writeDown(
  file: string,
  property: Property,
  scenario: Scenario,
  chosen: readonly number[],
): Promise<string[]> {
  const lines: string[] = [];
  const found = await objections(property, scenario, chosen, (line) => lines.push(line));
  writeFileSync(file, [JSON.stringify(scenario, undefined, 2), ...lines, ...found, ''].join('\n'));
  return found;
}
