import {
  type Broker,
  ClosedError,
  ConnectionLostError,
  type Delivery,
  ForbiddenError,
  InvalidMessageError,
  PublishError,
  UnencodableError,
} from '@millwright/broker';
import type { ClaimMessage } from '@millwright/crds';
import { silentLogger } from '@millwright/otel';
import { expect, test } from 'vitest';
import { WorkQueues } from '../dispatch/work-queues.ts';
import { aProject, aTask, NAMESPACE, NOW, runningOn } from '../testing/objects.ts';
import { claim, observation, publishedWork, summary } from '../testing/observations.ts';
import { type ExecuteTaskOptions, executeTask } from './execute.ts';
import { TaskMemories } from './memory.ts';
import { identityOf } from './names.ts';
import { planTask } from './plan.ts';
import { REPEAT_WORK_MS } from './publish-work.ts';

const task = aTask({}, runningOn('a'));

/** A claim of the holder, and what grants it with a broker that answers as told. */
function claimOfHolder() {
  const memories = new TaskMemories();
  const replies: unknown[] = [];
  let acknowledged = 0;
  const delivery = { replyTo: 'r', correlationId: 'c', ack: () => void acknowledged++ } as unknown as Delivery<unknown>;
  const message: ClaimMessage = {
    type: 'claim',
    kind: 'run',
    task: identityOf(task),
    attempt: 1,
    agent: { pool: 'pool', pod: 'a' },
  };
  memories.addClaim(delivery, message, NOW);
  const claim = memories.inbox(task.metadata).claims[0]?.id ?? 0;
  const grant = ({ signingKey = 's'.repeat(32), failure }: { signingKey?: string; failure?: Error } = {}) =>
    executeTask(task, [{ do: 'grant', claim, kind: 'run' }], {
      broker: {
        reply: async (_: string, __: unknown, reply: unknown) => {
          if (failure) throw failure;
          replies.push(reply);
        },
      } as unknown as Broker,
      cluster: { projects: { store: new Map([[`${NAMESPACE}/project`, aProject()]]) } },
      memories,
      workQueues: new WorkQueues(
        () => undefined,
        () => NOW,
      ),
      settings: { signingKey, gatewayUrl: 'http://gateway', author: { name: 'n', email: 'n@example.org' } },
      now: () => NOW,
      logger: silentLogger,
    } as unknown as ExecuteTaskOptions);
  const held = () => memories.inbox(task.metadata).claims.length;
  return { grant, held, replies, acknowledged: () => acknowledged };
}

test.each([
  ['no token can be made', { signingKey: 'too short' }],
  ['this process may not publish', { failure: new ForbiddenError() }],
  ['the broker is away', { failure: new PublishError('no connection to the broker', 'no') }],
  ['the connection ends', { failure: new ConnectionLostError('gone') }],
  ['the connection is closed', { failure: new ClosedError() }],
])('a claim that cannot be granted now is kept for the next pass: %s', async (_, trouble) => {
  const { grant, held, replies, acknowledged } = claimOfHolder();
  await expect(grant(trouble)).rejects.toThrow();
  expect([held(), acknowledged()]).toEqual([1, 0]);
  await grant();
  expect(replies).toMatchObject([{ type: 'grant', attempt: 1 }]);
  expect([held(), acknowledged()]).toEqual([0, 1]);
});

test.each([
  ['its sender is nobody who can be answered', new InvalidMessageError('"r" is not a direct reply address')],
  ['its properties cannot be written', new UnencodableError('too long')],
])('a claim that can never be answered is not kept: %s', async (_, failure) => {
  const { grant, held, acknowledged } = claimOfHolder();
  await grant({ failure });
  expect([held(), acknowledged()]).toEqual([0, 1]);
});

test('work that an agent was told to drop is published again soon, by the next pass', async () => {
  const waiting = aTask({}, { phase: 'Waiting', reason: 'Queued', attempt: 1 });
  const memories = new TaskMemories();
  const options = {
    broker: { reply: async () => undefined } as unknown as Broker,
    memories,
    logger: silentLogger,
  } as unknown as ExecuteTaskOptions;
  memories.of(waiting.metadata).published.work = publishedWork();
  const pass = async (now: number) => {
    const { published } = memories.of(waiting.metadata);
    const observed = observation({ task: waiting, published, inbox: memories.inbox(waiting.metadata) });
    const plan = planTask(observed, now);
    const dropped = plan.actions.filter((action) => action.do === 'drop');
    return { plan, again: await executeTask(waiting, dropped, options) };
  };
  const from = (pool: string, attempt: number) => ({
    ...claim(1, 'a', { attempt, agent: { pool, pod: 'a' } }).message,
  });
  memories.addClaim({ ack: () => undefined } as unknown as Delivery<unknown>, from('pool', 2), NOW);
  const other = await pass(NOW);
  expect(summary(other.plan)).toContain('drop 1');
  expect(other.again).toBeUndefined();
  memories.addClaim({ ack: () => undefined } as unknown as Delivery<unknown>, from('stranger', 1), NOW);
  const { plan, again } = await pass(NOW);
  expect(summary(plan)).toContain('drop 2');
  expect(plan.requeueAfterMs).toBeGreaterThan(REPEAT_WORK_MS);
  expect(again).toBe(REPEAT_WORK_MS);
  const next = await pass(NOW + REPEAT_WORK_MS);
  expect(summary(next.plan)).toContain('publishWork 1 run team/pool');
  expect(next.again).toBeUndefined();
});

test('a task whose time is over is deleted by its uid: its name may be that of another by now', async () => {
  const deleted: unknown[] = [];
  await executeTask(task, [{ do: 'delete' }], {
    kube: { delete: async (...args: unknown[]) => void deleted.push(args.slice(1)) },
  } as unknown as ExecuteTaskOptions);
  const { namespace, name, uid } = task.metadata;
  expect(deleted).toEqual([
    [
      { namespace, name },
      { uid, propagationPolicy: 'Background' },
    ],
  ]);
});
