import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mutants } from './testing/simulation/mutants.ts';
import { objections, phasesWithoutFaults, properties } from './testing/simulation/properties.ts';
import { simulate } from './testing/simulation/run.ts';
import { decisions, noFaults, scenarios } from './testing/simulation/scenario.ts';

const TEST_MS = 300_000;
/**
 * The same scenarios each time, so that the tests say the same of the same tree: new ones are for `npm run search`, which has the time
 * that rare orders of events need. A slow machine tries fewer; it does not fail.
 */
const runs = { seed: 1, numRuns: 150, interruptAfterTimeLimit: 60_000 };

describe('whatever happens', () => {
  test.each(properties.map((property) => [property.what, property] as const))(
    '%s',
    { timeout: TEST_MS },
    (_, property) =>
      fc.assert(
        fc.asyncProperty(scenarios, decisions, async (scenario, chosen) => {
          expect(await objections(property, scenario, chosen)).toEqual([]);
        }),
        runs,
      ),
  );
});

describe('a known defect is noticed', () => {
  test.each(mutants)('$what', { timeout: TEST_MS }, async ({ brain, faults, law }) => {
    const all = { ...noFaults, ...faults };
    const { failed, interrupted } = await fc.check(
      fc.asyncProperty(scenarios, decisions, async (scenario, chosen) => {
        const { broken, phases, lost } = await simulate(scenario, all, chosen, brain);
        expect(law ? broken.filter((what) => law.test(what)) : broken).toEqual([]);
        if (law) return;
        if (!all.user) expect(phases).toEqual(await phasesWithoutFaults(scenario));
        if (!all.sandboxes) expect(lost).toBe(0);
      }),
      { seed: 1, numRuns: 2000, endOnFailure: true, interruptAfterTimeLimit: TEST_MS - 20_000 },
    );
    expect({ failed, interrupted }).toEqual({ failed: true, interrupted: false });
  });
});
