import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mutants } from './testing/simulation/mutants.ts';
import { type Ended, simulate } from './testing/simulation/run.ts';
import { decisions, type Faults, type Scenario, scenarios } from './testing/simulation/scenario.ts';

const none: Faults = {
  operator: false,
  broker: false,
  repeats: false,
  stale: false,
  sandboxes: false,
  forge: false,
  user: false,
  namesakes: false,
};
const controlPlane: Faults = { ...none, operator: true, broker: true, repeats: true, stale: true, forge: true };

const TEST_MS = 300_000;
/** A slow machine tries fewer scenarios; it does not fail. */
const runs = { numRuns: 150, interruptAfterTimeLimit: 60_000 };

/** Faults may last for hours here, and an attempt that they outlast would rightly fail. */
const patient = (scenario: Scenario): Scenario => ({ ...scenario, timeoutSeconds: 86_400 });

const phasesWithoutFaults = async (scenario: Scenario) => (await simulate(scenario, none, [])).phases;

/** Checks what is expected of the end of every scenario under some faults. */
const always = (faults: Faults, expected: (ended: Ended, scenario: Scenario) => void | Promise<void>) =>
  fc.assert(
    fc.asyncProperty(scenarios.map(patient), decisions, async (scenario, chosen) => {
      const ended = await simulate(scenario, faults, chosen);
      expect(ended.broken).toEqual([]);
      await expected(ended, scenario);
    }),
    runs,
  );

const asIfNothingHadHappened = async ({ phases }: Ended, scenario: Scenario) =>
  expect(phases).toEqual(await phasesWithoutFaults(scenario));

describe('the Workflow ends as if nothing had happened, and no attempt is lost, whatever happens to the control plane', () => {
  test.each<[string, Partial<Faults>]>([
    ['nothing but another order of events', {}],
    ['messages that come twice and out of order', { repeats: true }],
    ['late watches and old copies', { stale: true }],
    ['operators that die and calls that fail', { operator: true }],
    ['a broker that comes and goes', { broker: true }],
    ['a forge that is ill, slow, and asked twice at once', { forge: true, repeats: true }],
  ])('%s', { timeout: TEST_MS }, (_, faults) =>
    always({ ...none, ...faults }, async (ended, scenario) => {
      await asIfNothingHadHappened(ended, scenario);
      expect(ended.lost).toBe(0);
    }),
  );
});

test('all of that at once: it ends as if nothing had happened', { timeout: TEST_MS }, () =>
  always(controlPlane, asIfNothingHadHappened),
);

test('sandboxes that die or fall silent besides: it ends as if nothing had happened', { timeout: TEST_MS }, () =>
  always({ ...controlPlane, sandboxes: true }, asIfNothingHadHappened),
);

test(
  'someone who makes tasks and the Workflow anew besides: it ends as if they had been the first',
  { timeout: TEST_MS },
  () => always({ ...controlPlane, namesakes: true }, asIfNothingHadHappened),
);

test('someone who cancels, suspends and resumes besides: it ends', { timeout: TEST_MS }, () =>
  always({ ...controlPlane, sandboxes: true, user: true }, ({ phases }) => {
    expect(phases['*']).toMatch(/Succeeded|Failed|Cancelled/);
  }),
);

describe('a known defect is noticed', () => {
  test.each(mutants)('$what', { timeout: TEST_MS }, async ({ brain, faults, law }) => {
    const all = { ...none, ...faults };
    const { failed, interrupted } = await fc.check(
      fc.asyncProperty(scenarios, decisions, async (scenario, chosen) => {
        const { broken, phases, lost } = await simulate(scenario, all, chosen, brain);
        expect(law ? broken.filter((what) => law.test(what)) : broken).toEqual([]);
        if (law) return;
        if (!all.user) expect(phases).toEqual(await phasesWithoutFaults(scenario));
        if (!all.sandboxes) expect(lost).toBe(0);
      }),
      { numRuns: 2000, endOnFailure: true, interruptAfterTimeLimit: TEST_MS - 20_000 },
    );
    expect({ failed, interrupted }).toEqual({ failed: true, interrupted: false });
  });
});
