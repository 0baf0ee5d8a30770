import { randomUUID } from 'node:crypto';
import type { AgentTask, OperatorInbound, TaskIdentity } from '@millwright/crds';
import { endAttempt } from '../../agent-task/end-attempt.ts';
import { ids } from '../../agent-task/inbox.ts';
import { TaskMemories, type TaskMemory } from '../../agent-task/memory.ts';
import { fencingToken } from '../../dispatch/fencing.ts';
import { type Brain, SIGNING_KEY } from './operator-process.ts';
import { soundBrain } from './run.ts';
import type { Faults } from './scenario.ts';

/** A known defect, and the faults under which it does harm. The simulation must notice every one: else it would not notice others. */
export interface Mutant {
  what: string;
  faults: Partial<Faults>;
  brain: Brain;
  /** The law that is to notice it, where others would notice it first. */
  law?: RegExp;
}

const { planTask, planWorkflow } = soundBrain;

/** A forge that is ill costs the attempt. */
const impatient: Brain['planTask'] = (observed, now) => {
  const { runResult, verifyResult, effectResult } = observed.inbox;
  const { attempt, phase } = observed.task.status ?? {};
  const isAtWork = phase === 'Running' || phase === 'Verifying';
  if (!isAtWork || effectResult?.message.ok !== false || effectResult.message.attempt !== attempt)
    return planTask(observed, now);
  const failure = { class: 'infrastructure', reason: 'PublishFailed', message: 'the forge is ill' } as const;
  return endAttempt(observed, failure, now, ids(runResult, verifyResult, effectResult));
};

export const mutants: readonly Mutant[] = [
  {
    what: 'grants an attempt to everybody who asks for it',
    faults: { repeats: true, operator: true },
    brain: {
      ...soundBrain,
      planTask: (observed, now) => {
        const plan = planTask(observed, now);
        const { phase, attempt } = observed.task.status ?? {};
        const kind = phase === 'Running' ? 'run' : phase === 'Verifying' ? 'verify' : undefined;
        const isWanted = (id: number) =>
          observed.inbox.claims.some(
            ({ id: claim, message }) => claim === id && message.attempt === attempt && message.kind === kind,
          );
        return {
          ...plan,
          actions: plan.actions.map((action) =>
            kind && action.do === 'drop' && isWanted(action.claim)
              ? { do: 'grant', claim: action.claim, kind }
              : action,
          ),
        };
      },
    },
  },
  {
    what: 'gives children random names',
    faults: { operator: true, stale: true },
    brain: {
      ...soundBrain,
      planWorkflow: (observed, now) => {
        const plan = planWorkflow(observed, now);
        return {
          ...plan,
          actions: plan.actions.map((action) =>
            action.do === 'create'
              ? {
                  ...action,
                  tasks: action.tasks.map((task) => ({
                    ...task,
                    metadata: { ...task.metadata, name: `t-${randomUUID()}` },
                  })),
                }
              : action,
          ),
        };
      },
    },
  },
  { what: 'trusts its cache', faults: { stale: true }, brain: { ...soundBrain, trustsCache: true } },
  {
    what: 'ignores the fencing token',
    faults: { sandboxes: true },
    brain: { ...soundBrain, read: asOfTheHolder },
  },
  {
    what: 'forgets that work it let an agent drop is nowhere any more',
    faults: { user: true },
    brain: {
      ...soundBrain,
      planTask: (observed, now) => {
        const { work, ...published } = observed.published;
        if (!work) return planTask(observed, now);
        const { dropped: _, ...kept } = work;
        return planTask({ ...observed, published: { ...published, work: { ...kept, at: now } } }, now);
      },
    },
  },
  {
    what: 'counts silence from before it could hear anything',
    faults: { operator: true, broker: true },
    brain: {
      ...soundBrain,
      planTask: (observed, now) => planTask({ ...observed, listeningSince: 0 }, now),
    },
  },
  {
    what: 'takes what it remembers of a task for that of its namesake',
    faults: { namesakes: true, stale: true },
    brain: { ...soundBrain, memories: () => new MemoriesByName() },
  },
  {
    what: 'does not wait for its admission',
    faults: {},
    brain: {
      ...soundBrain,
      planTask: (observed, now) => planTask({ ...observed, place: { state: 'admitted', pool: 'team/big' } }, now),
    },
  },
  {
    what: 'works anew when the forge is ill',
    faults: { forge: true },
    brain: { ...soundBrain, planTask: impatient },
    law: /redoes work/,
  },
  {
    what: 'works anew when the forge is ill, and publishes without asking whether the attempt goes on',
    faults: { forge: true, repeats: true },
    brain: { ...soundBrain, planTask: impatient, publisherAsks: false },
    law: /went back/,
  },
];

class MemoriesByName extends TaskMemories {
  override peek(task: TaskIdentity): TaskMemory | undefined {
    return super.peek({ ...task, uid: 'any' });
  }
  override of(task: TaskIdentity): TaskMemory {
    return super.of({ ...task, uid: 'any' });
  }
  override forget(key: string, except?: string): void {
    if (except === undefined) super.forget(key);
  }
}

/** The message as the holder of the current attempt would have sent it. */
function asOfTheHolder(message: OperatorInbound, task: AgentTask | undefined): OperatorInbound {
  const { status } = task ?? {};
  if (message.type !== 'result' || !task || status?.attempt === undefined) return message;
  const holder = message.kind === 'run' ? status.agent : status.verifier;
  if (!holder) return message;
  const { attempt } = status;
  const fence = { task: task.metadata.uid, attempt, kind: message.kind, epoch: holder.epoch, pod: holder.pod };
  return { ...message, attempt, token: fencingToken(fence, SIGNING_KEY) };
}
