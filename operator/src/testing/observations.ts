import type { ClaimMessage, EffectResultMessage, ResultMessage, WorkKind } from '@millwright/crds';
import type { SandboxView } from '../agent-pool/plan.ts';
import type { Trouble } from '../agent-pool/troubles.ts';
import type { TaskAction, TaskPlan } from '../agent-task/actions.ts';
import { identityOf } from '../agent-task/names.ts';
import type { PublishedWork, TaskObservation, Unsettled } from '../agent-task/observation.ts';
import { aPool, aProject, aTask, at, COMMIT, NOW } from './objects.ts';

/** A task that is new and admitted, with everything in order around it. */
export function observation(change: Partial<TaskObservation> = {}): TaskObservation {
  return {
    task: aTask(),
    project: aProject(),
    pools: [aPool()],
    place: { state: 'admitted', pool: 'team/pool' },
    inbox: { claims: [] },
    published: {},
    draining: new Set(),
    listeningSince: NOW,
    random: 0.5,
    epoch: 7,
    ...change,
  };
}

const task = identityOf(aTask());

export const claim = (id: number, pod: string, change: Partial<ClaimMessage> = {}): Unsettled<ClaimMessage> => ({
  id,
  receivedAt: NOW,
  message: { type: 'claim', kind: 'run', task, attempt: 1, agent: { pool: 'pool', pod }, ...change },
});

export const result = (id: number, change: Partial<ResultMessage> = {}): Unsettled<ResultMessage> => ({
  id,
  receivedAt: NOW,
  message: {
    type: 'result',
    kind: 'run',
    task,
    attempt: 1,
    token: 'token',
    outcome: 'succeeded',
    commit: COMMIT,
    startedAt: at(0),
    finishedAt: at(1000),
    ...change,
  },
});

/** A verification's result: 3 of 3 commands passed. */
export const checks = (id: number, change: Partial<ResultMessage> = {}): Unsettled<ResultMessage> => {
  const { id: same, receivedAt, message } = result(id, { kind: 'verify', tests: { passed: 3, total: 3 }, ...change });
  const { commit: _, ...rest } = message;
  return { id: same, receivedAt, message: rest };
};

export const answer = (id: number, change: Partial<EffectResultMessage> = {}): Unsettled<EffectResultMessage> => ({
  id,
  receivedAt: NOW,
  message: {
    type: 'effectResult',
    id: `${task.uid}:1:branch`,
    task,
    attempt: 1,
    retry: 0,
    ok: true,
    branch: 'ai/generated/tasks/task',
    ...change,
  },
});

/** What the process remembers of work it has published at NOW. */
export const publishedWork = (kind: WorkKind = 'run', change: Partial<PublishedWork> = {}): PublishedWork => ({
  attempt: 1,
  kind,
  key: { engine: 'runner', image: 'toolchain:1', capabilities: [] },
  pool: 'team/pool',
  at: NOW,
  ...change,
});

/** Actions in short, in order: `status Waiting/Queued`, `grant 1 run`, `settle 2,3`. A lazy status has a `~`. */
export const summary = (plan: TaskPlan): string[] => plan.actions.map(brief);

function brief(action: TaskAction): string {
  switch (action.do) {
    case 'status':
      return `status${action.lazy ? '~' : ''} ${action.status.phase}/${action.status.reason}`;
    case 'grant':
      return `grant ${action.claim} ${action.kind}`;
    case 'drop':
      return `drop ${action.claim}`;
    case 'settle':
      return `settle ${action.messages.join()}`;
    case 'publishWork':
      return `publishWork ${action.attempt} ${action.kind} ${action.pool}`;
    case 'publishBranch':
      return `publishBranch ${action.attempt} ${action.branch}`;
    case 'occupy':
      return `occupy ${action.pool}`;
    case 'cancel':
    case 'endAttempt':
      return `${action.do} ${action.attempt}`;
    case 'confirmSandbox':
    case 'deleteSandbox':
      return `${action.do} ${action.pod}`;
    case 'request':
    case 'release':
    case 'delete':
      return action.do;
  }
}

/** The status a plan writes. Throws when it writes none. */
export function statusOf(plan: TaskPlan) {
  const action = plan.actions.find((candidate) => candidate.do === 'status');
  if (!action) throw new Error(`no status among ${summary(plan).join('; ')}`);
  return action.status;
}

/** A sandbox as the plan for a pool sees it. */
export const aSandbox = (
  ordinal: number,
  state: SandboxView['state'],
  change: Partial<SandboxView> = {},
): SandboxView => ({
  job: `pool-${ordinal}`,
  ordinal,
  image: 'i',
  state,
  draining: false,
  deleted: false,
  outdated: false,
  createdAt: NOW,
  pod: `pool-${ordinal}-pod`,
  ...(state === 'failed' || state === 'succeeded' ? { endedAt: NOW } : {}),
  ...change,
});

/** An image that cannot be pulled, and is not to be tried again for now. */
export const aTrouble = (change: Partial<Trouble> = {}): Trouble => ({
  problem: { reason: 'ImagePull', message: 'container workspace: ErrImagePull: not found; correct it' },
  stuck: true,
  trying: false,
  since: NOW,
  retryAt: NOW + 5_000,
  ...change,
});
