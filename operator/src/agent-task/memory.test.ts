import type { Delivery } from '@millwright/broker';
import type { ResultMessage } from '@millwright/crds';
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
