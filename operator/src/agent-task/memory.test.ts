import type { Delivery } from '@millwright/broker';
import type { ClaimMessage, ResultMessage } from '@millwright/crds';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { at, NOW } from '../testing/objects.ts';
import { TaskMemories } from './memory.ts';

const first = { uid: 'first', namespace: 'team', name: 'task' };
const second = { ...first, uid: 'second' };

const result = (task: typeof first): ResultMessage => ({
  type: 'result',
  kind: 'run',
  task,
  attempt: 1,
  token: 't',
  outcome: 'succeeded',
  startedAt: at(0),
  finishedAt: at(0),
});

let acknowledged: string[] = [];
const delivery = (name: string) => ({ ack: () => void acknowledged.push(name) }) as unknown as Delivery<unknown>;

test('what is known of a task is not known of another that has its name', () => {
  const memories = new TaskMemories();
  memories.addResult(delivery('first'), result(first), NOW);
  memories.of(first).published.effect = { attempt: 1, at: NOW };
  expect(memories.inbox(second)).toEqual({ claims: [] });
  expect(memories.peek(second)).toBeUndefined();
  expect(memories.of(second).published).toEqual({});
});

test('once the name is given to another task, all about the one before is settled and forgotten', () => {
  acknowledged = [];
  const memories = new TaskMemories();
  memories.addResult(delivery('first'), result(first), NOW);
  memories.addResult(delivery('second'), result(second), NOW);
  memories.forget('team/task', 'second');
  expect(acknowledged).toEqual(['first']);
  expect(memories.peek(first)).toBeUndefined();
  expect(memories.inbox(second).runResult?.message).toEqual(result(second));
  memories.forget('team/task');
  expect(acknowledged).toEqual(['first', 'second']);
  expect(memories.peek(second)).toBeUndefined();
});

test('what comes again is forgotten, and what another channel brought stays', () => {
  const memories = new TaskMemories();
  const answer = { type: 'effectResult', id: 'first:1:branch', task: first, attempt: 1, retry: 0, ok: true } as const;
  memories.addResult(delivery('first'), result(first), NOW);
  memories.addEffectResult(delivery('first'), answer, NOW);
  memories.dropFromAgents();
  expect(memories.inbox(first)).toMatchObject({ claims: [], effectResult: { message: answer } });
  expect(memories.inbox(first).runResult).toBeUndefined();
  memories.addResult(delivery('first'), result(first), NOW);
  memories.dropFromPublisher();
  expect(memories.inbox(first)).toMatchObject({ claims: [], runResult: { message: result(first) } });
  expect(memories.inbox(first).effectResult).toBeUndefined();
});

const claim = (change: Partial<ClaimMessage> = {}): ClaimMessage => ({
  type: 'claim',
  kind: 'run',
  task: first,
  attempt: 1,
  agent: { pool: 'pool', pod: 'a' },
  ...change,
});
const sent = (name: string, sentAt: number) => ({ ...delivery(name), sentAt }) as Delivery<unknown>;

test.each([
  ['the later one, which came last', NOW, NOW + 1000, 'second'],
  ['the last one, of two sent within a second', NOW, NOW, 'second'],
  ['the later one, though it came first', NOW + 1000, NOW, 'first'],
])('of two questions of one agent only one is held: %s', (_, one, other, kept) => {
  acknowledged = [];
  const memories = new TaskMemories();
  memories.addClaim(sent('first', one), claim(), NOW);
  memories.addClaim(sent('second', other), claim(), NOW);
  expect(acknowledged).toEqual([kept === 'first' ? 'second' : 'first']);
  memories.forget('team/task');
  expect(acknowledged).toHaveLength(2);
  expect(acknowledged[1]).toBe(kept);
});

test('however much is asked, one question is held per agent, kind and attempt', () => {
  const asked = fc.record({
    kind: fc.constantFrom('run' as const, 'verify' as const),
    attempt: fc.integer({ min: 1, max: 2 }),
    pool: fc.constantFrom('pool', 'other'),
    pod: fc.constantFrom('a', 'b'),
    at: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(asked), (questions) => {
      acknowledged = [];
      const memories = new TaskMemories();
      questions.forEach(({ kind, attempt, pool, pod, at: ms }, index) => {
        memories.addClaim(sent(`${index}`, NOW + ms), claim({ kind, attempt, agent: { pool, pod } }), NOW);
      });
      const different = new Set(questions.map(({ at: _, ...question }) => JSON.stringify(question)));
      expect(memories.inbox(first).claims).toHaveLength(different.size);
      expect(new Set(acknowledged).size).toBe(questions.length - different.size);
    }),
  );
});
