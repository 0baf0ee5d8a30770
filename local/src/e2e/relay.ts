import { isFinished } from '@millwright/crds';
import type { Team } from './team.ts';
import { until } from './until.ts';

/**
 * A Workflow whose every task takes long enough to be hit in the middle: `first` is verified, then `left` and `right` run side by side,
 * and `last` stands on both and is verified again. Each command says `ran` when it begins.
 */
export function relay(name: string) {
  const step = (script: string) => ['sh', '-c', `echo ran; sleep 4; ${script}`];
  return {
    apiVersion: 'millwright.dev/v1alpha1',
    kind: 'Workflow',
    metadata: { name },
    spec: {
      projectRef: { name: 'uuid' },
      tasks: [
        {
          name: 'first',
          capabilities: ['shell'],
          command: step('echo first > first.txt'),
          acceptance: ['grep -q first first.txt'],
        },
        {
          name: 'left',
          dependsOn: ['first'],
          capabilities: ['shell'],
          command: step('cat first.txt > left.txt; echo left >> left.txt'),
        },
        { name: 'right', dependsOn: ['first'], capabilities: ['shell'], command: step('cat first.txt') },
        {
          name: 'last',
          dependsOn: ['left', 'right'],
          capabilities: ['shell'],
          command: step('cat left.txt > last.txt; echo last >> last.txt'),
          acceptance: ['test "$(wc -l < last.txt)" -eq 3'],
        },
      ],
    },
  };
}

/** What of a Workflow's end is the same whenever it runs, whatever fails meanwhile: by task. */
export async function outcomeOf(team: Team, workflow: string) {
  const tasks = Object.entries(await team.tasks(workflow));
  const outcomes = tasks.map(async ([name, { status }]) => {
    const { commit } = status?.result ?? {};
    return [
      name,
      {
        phase: status?.phase,
        reason: status?.reason,
        tests: status?.tests,
        try: status?.try,
        branch: status?.branch?.replace(workflow, 'WORKFLOW'),
        // Commits differ by their time; what is in them must not.
        tree: commit === undefined ? undefined : (await team.git(['rev-parse', `${commit}^{tree}`])).trim(),
      },
    ] as const;
  });
  return Object.fromEntries(await Promise.all(outcomes));
}

/** Waits until an agent holds a task, and returns the agent's pod. */
export async function holderOf(team: Team, workflow: string, task: string): Promise<string> {
  const held = await until(
    async () => (await team.tasks(workflow))[task]?.status,
    (status) => {
      if (isFinished(status?.phase)) throw new Error(`${task} is over already: ${status?.reason}`);
      return status?.phase === 'Running';
    },
    180,
  );
  return held?.agent?.pod ?? '';
}
