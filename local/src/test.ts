import { parseArgs } from 'node:util';
import { createContext } from './context.ts';
import { type Outcome, testRunners } from './test-runners.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  const list = testRunners.map(({ name, description }) => `  ${name.padEnd(12)} ${description}`);
  console.log(
    `Usage: npm test [-- runner ...] [file filter ...]\n\nRunners (all unless some are named):\n${list.join('\n')}\n\nThe last line is the sum; the exit code is 1 when anything failed.`,
  );
} else {
  process.exitCode = (await runAll()) ? 0 : 1;
}

/** Runs what was asked for, prints a line for each runner and the sum last; true when everything passed. */
async function runAll(): Promise<boolean> {
  const { repository } = createContext();
  const named = testRunners.filter(({ name }) => positionals.includes(name));
  const filters = positionals.filter((word) => !testRunners.some(({ name }) => name === word));
  const outcomes: [string, Outcome][] = [];
  for (const runner of named.length > 0 ? named : testRunners) {
    console.log(`\n== ${runner.name}: ${runner.description}`);
    outcomes.push([runner.name, await runner.run(repository, filters)]);
  }
  console.log();
  // Said again at the end, where it is looked for when all that went before is long.
  for (const failure of outcomes.flatMap(([, { failures }]) => failures)) console.log(`failed: ${failure}`);
  for (const [name, { passed, failed, skipped, broken }] of outcomes) {
    const notes = [...(skipped ? [`${skipped} skipped`] : []), ...(broken ? [broken] : [])].map((note) => `, ${note}`);
    console.log(`${name.padEnd(12)} ${passed} passed, ${failed} failed${notes.join('')}`);
  }
  const passed = outcomes.reduce((sum, [, outcome]) => sum + outcome.passed, 0);
  // A runner that broke down counts as one failure: the sum must not look better than the exit code.
  const failed = outcomes.reduce((sum, [, outcome]) => sum + outcome.failed + (outcome.broken ? 1 : 0), 0);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0;
}
