import type { Broker, Delivery } from '@millwright/broker';
import type { ClaimMessage } from '@millwright/crds';
import { silentLogger } from '@millwright/otel';
import { expect, test } from 'vitest';
import { WorkQueues } from '../dispatch/work-queues.ts';
import { aProject, aTask, NAMESPACE, NOW, runningOn } from '../testing/objects.ts';
import { type ExecuteTaskOptions, executeTask } from './execute.ts';
import { TaskMemories } from './memory.ts';
import { identityOf } from './names.ts';

const task = aTask({}, runningOn('a'));

test('a claim that cannot be granted now is kept for the next pass', async () => {
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
  const grant = (signingKey: string) =>
    executeTask(task, [{ do: 'grant', claim, kind: 'run' }], {
      broker: {
        reply: async (_: string, __: unknown, reply: unknown) => void replies.push(reply),
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
  await expect(grant('too short')).rejects.toThrow(/signing key/);
  expect(memories.inbox(task.metadata).claims.map(({ id }) => id)).toEqual([claim]);
  await grant('s'.repeat(32));
  expect(replies).toMatchObject([{ type: 'grant', attempt: 1 }]);
  expect(acknowledged).toBe(1);
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
