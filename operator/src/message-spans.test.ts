import type { Delivery } from '@millwright/broker';
import type { ClaimMessage, EffectResultMessage, ResultMessage } from '@millwright/crds';
import { type FinishedSpan, noTelemetry, traceIdOf, traceparent } from '@millwright/otel';
import { describe, expect, test } from 'vitest';
import { type HandledMessage, TaskMemories } from './agent-task/memory.ts';
import { attemptSpan, traceMessages } from './message-spans.ts';
import { aTask, at, NOW, runningOn } from './testing/objects.ts';

const task = aTask({}, runningOn('a'));
const { uid, namespace, name } = task.metadata;
const about = { task: { uid, namespace, name }, attempt: 1 };
const claim: ClaimMessage = { type: 'claim', kind: 'run', ...about, agent: { pool: 'pool', pod: 'a' } };
const result: ResultMessage = {
  type: 'result',
  kind: 'verify',
  ...about,
  token: 't',
  outcome: 'succeeded',
  startedAt: at(0),
  finishedAt: at(1),
};
const effect: EffectResultMessage = { type: 'effectResult', id: 'e', ...about, retry: 0, ok: true };

const delivery = (context?: string): Delivery<unknown> =>
  ({ messageId: `${uid}:1:m`, traceparent: context, ack: () => undefined }) as unknown as Delivery<unknown>;

function handled(message: HandledMessage['message'], context?: string): FinishedSpan[] {
  const spans: FinishedSpan[] = [];
  const telemetry = { ...noTelemetry, enabled: true, emit: (span: FinishedSpan) => void spans.push(span) };
  traceMessages(
    telemetry,
    () => task,
    () => NOW + 5,
  )({ id: 1, delivery: delivery(context), message, receivedAt: NOW });
  return spans;
}

describe('a message that was handled', () => {
  const sender = 'b7ad6b7169203331';
  test.each([
    ['a claim', claim, 'run', 'millwright.results'],
    ['a result', result, 'verify', 'millwright.results'],
    ['the answer to an effect', effect, 'run', 'millwright.answers'],
  ] as const)('%s is processed below its sending', (_, message, kind, queue) => {
    const [process, ...others] = handled(message, traceparent(traceIdOf(uid), sender));
    expect(others).toEqual([]);
    expect(process).toMatchObject({
      traceId: traceIdOf(uid),
      parentSpanId: sender,
      name: `process ${queue}`,
      kind: 'consumer',
      start: NOW,
      end: NOW + 5,
      attributes: { 'messaging.operation.type': 'process', 'messaging.message.id': `${uid}:1:m` },
    });
    // Without a sender, or with one that names another trace, it is the attempt's.
    for (const context of [undefined, traceparent(traceIdOf('other'), sender)])
      expect(handled(message, context)[0]?.parentSpanId).toBe(attemptSpan(uid, 1, kind));
  });

  test('each has ids of its own, which are the same again when it is delivered again', () => {
    const all = [claim, { ...claim, kind: 'verify' } as const, result, { ...result, kind: 'run' } as const, effect];
    const ids = all.flatMap((message) => handled(message).map(({ spanId }) => spanId));
    expect(new Set(ids).size).toBe(all.length);
    expect(all.flatMap((message) => handled(message).map(({ spanId }) => spanId))).toEqual(ids);
  });
});

test('a claim is told of when it is granted, not when it is dropped', () => {
  const told: HandledMessage[] = [];
  const memories = new TaskMemories((held) => void told.push(held));
  for (const pod of ['a', 'b']) memories.addClaim(delivery(), { ...claim, agent: { pool: 'pool', pod } }, NOW);
  const ids = memories.inbox(claim.task).claims.map(({ id }) => id);
  const [dropped = 0, kept = 0] = ids;
  memories.takeClaim(claim.task, dropped);
  expect(told).toEqual([]);
  const granted = memories.claim(claim.task, kept);
  if (granted) memories.settleClaim(claim.task, granted);
  expect(told.map(({ message }) => message)).toEqual([{ ...claim, agent: { pool: 'pool', pod: 'b' } }]);
});
