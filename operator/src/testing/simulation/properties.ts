import { isDeepStrictEqual } from 'node:util';
import { simulate } from './run.ts';
import { type Faults, noFaults, type Scenario } from './scenario.ts';

/** What is to hold of every scenario and every order of events. */
export interface Property {
  what: string;
  faults: Partial<Faults>;
  /** The final phases are those of the same scenario without faults. */
  endsAlike: boolean;
  /** No attempt is lost to the infrastructure. */
  losesNothing: boolean;
}

const controlPlane = { operator: true, broker: true, connections: true, repeats: true, stale: true, forge: true };

/** A part of the control plane at a time: nothing that happens to it may cost an attempt. */
const harmless = (what: string, faults: Partial<Faults>): Property => ({
  what,
  faults,
  endsAlike: true,
  losesNothing: true,
});

export const properties: readonly Property[] = [
  harmless('another order of events costs no attempt', {}),
  harmless('messages that come twice and out of order cost no attempt', { repeats: true }),
  harmless('late watches and old copies cost no attempt', { stale: true }),
  harmless('operators that die and calls that fail cost no attempt', { operator: true }),
  harmless('a broker that comes and goes costs no attempt', { broker: true }),
  harmless('an operator that loses one of its connections to the broker costs no attempt', { connections: true }),
  harmless('a forge that is ill, slow, and asked twice at once costs no attempt', { forge: true, repeats: true }),
  {
    what: 'all of that at once: it ends as if nothing had happened',
    faults: controlPlane,
    endsAlike: true,
    losesNothing: false,
  },
  {
    what: 'sandboxes that die or fall silent besides: it ends as if nothing had happened',
    faults: { ...controlPlane, sandboxes: true },
    endsAlike: true,
    losesNothing: false,
  },
  {
    what: 'someone who makes tasks and the Workflow anew besides: it ends as if they had been the first',
    faults: { ...controlPlane, namesakes: true },
    endsAlike: true,
    losesNothing: false,
  },
  {
    what: 'someone who cancels, suspends and resumes besides: it ends',
    faults: { ...controlPlane, sandboxes: true, user: true },
    endsAlike: false,
    losesNothing: false,
  },
];

export const phasesWithoutFaults = async (scenario: Scenario): Promise<Record<string, string | undefined>> =>
  (await simulate(scenario, noFaults, [])).phases;

/**
 * Runs a scenario as the decisions say. Faults may last for hours here, and an attempt that they outlast would rightly fail, so no task has
 * a time limit that could matter.
 * @param trace is told of every step
 * @returns what did not hold
 */
export async function objections(
  property: Property,
  scenario: Scenario,
  decisions: readonly number[],
  trace?: (line: string) => void,
): Promise<string[]> {
  const patient = { ...scenario, timeoutSeconds: 86_400 };
  const ended = await simulate(patient, { ...noFaults, ...property.faults }, decisions, undefined, trace);
  if (ended.broken.length > 0) return [...ended.broken];
  const found: string[] = [];
  if (property.losesNothing && ended.lost > 0) found.push(`${ended.lost} attempts were lost`);
  if (property.endsAlike) {
    const expected = await phasesWithoutFaults(patient);
    if (!isDeepStrictEqual(ended.phases, expected))
      found.push(`it ended with ${JSON.stringify(ended.phases)} and not with ${JSON.stringify(expected)}`);
  }
  return found;
}
