import fc from 'fast-check';

/** What comes of one counted attempt of a task. */
export type Outcome = 'works' | 'changes nothing' | 'fails' | 'fails verification' | 'is refused';

export interface ScenarioTask {
  /** Indexes of earlier tasks. */
  dependsOn: readonly number[];
  /** Asks for the phase of the first dependency. */
  when: 'Failed' | 'not Failed' | undefined;
  isVerified: boolean;
  priority: number;
  maxAttempts: number;
  capability: 'a' | 'b' | undefined;
  outcomes: readonly Outcome[];
}

/** A DAG and what is around it: all that a run depends on besides the order of events and the faults. */
export interface Scenario {
  /** Time limit of every task; that of the schema unless told. */
  timeoutSeconds?: number;
  tasks: readonly ScenarioTask[];
  parallelism: number | undefined;
  projectLimit: number | undefined;
  /** `scale.max` of the pool that offers a, and of the one that offers a and b. */
  poolSizes: readonly [number, number];
}

/** Which faults may happen. */
export interface Faults {
  /** The operator dies at any call, before or after it took effect; calls fail; answers are lost. */
  operator: boolean;
  /** The broker drops all connections, or is away for a while. */
  broker: boolean;
  /** The operator loses one of its connections or channels, and others none. */
  connections: boolean;
  /** Messages arrive twice and out of order. */
  repeats: boolean;
  /** Watches are late and replay old copies. */
  stale: boolean;
  /** Sandboxes die or fall silent. */
  sandboxes: boolean;
  /** The forge fails and takes its time, and two publishers act at once. */
  forge: boolean;
  /** Someone cancels, suspends and resumes. */
  user: boolean;
  /** Someone deletes tasks and the Workflow, and makes them anew under the same name. */
  namesakes: boolean;
}

export const noFaults: Faults = {
  operator: false,
  broker: false,
  connections: false,
  repeats: false,
  stale: false,
  sandboxes: false,
  forge: false,
  user: false,
  namesakes: false,
};

const outcome = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Outcome>('works') },
  { weight: 1, arbitrary: fc.constantFrom<Outcome>('changes nothing', 'fails', 'fails verification', 'is refused') },
);

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  tasks: fc
    .array(
      fc.record({
        dependsOn: fc.array(fc.nat(9), { maxLength: 3 }),
        when: fc.constantFrom('Failed' as const, 'not Failed' as const, undefined, undefined, undefined),
        isVerified: fc.boolean(),
        priority: fc.integer({ min: -1, max: 1 }),
        maxAttempts: fc.integer({ min: 1, max: 3 }),
        capability: fc.constantFrom('a' as const, 'b' as const, undefined),
        outcomes: fc.array(outcome, { maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 7 },
    )
    .map((tasks) =>
      tasks.map((task, index) => ({
        ...task,
        dependsOn: index === 0 ? [] : [...new Set(task.dependsOn.map((dependency) => dependency % index))],
      })),
    ),
  parallelism: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  projectLimit: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  poolSizes: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
});

export const decisions = fc.array(fc.nat(0xffff), { minLength: 100, maxLength: 600, size: 'max' });
