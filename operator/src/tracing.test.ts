import type { AgentTask, AttemptRecord } from '@millwright/crds';
import { type FinishedSpan, noTelemetry, parseTraceparent, traceIdOf } from '@millwright/otel';
import { describe, expect, test } from 'vitest';
import { type Sent, sentTrace } from './message-spans.ts';
import { aTask, at, COMMIT, NOW, runningOn, verifyingOn } from './testing/objects.ts';
import { spansOfTask, taskSpan, traceTaskAgain } from './tracing.ts';

const entry = (attempt: number, change: Partial<AttemptRecord> = {}): AttemptRecord => ({
  attempt,
  outcome: 'Succeeded',
  reason: 'Completed',
  pod: 'runner',
  startedAt: at(1000),
  finishedAt: at(9000),
  ...change,
});
const branch = 'ai/generated/flow/task';
const ended = (change: AgentTask['status'] = {}, history = [entry(1)]): AgentTask =>
  aTask({}, { ...change, phase: 'Succeeded', reason: 'Completed', finishedAt: at(9000), history });

const published = ended({ ...verifyingOn('v'), branch, result: { commit: COMMIT } });
const parentOf = (task: AgentTask, sent: Sent) => parseTraceparent(sentTrace(task, 1, sent))?.spanId;

describe('the spans of a task', () => {
  test.each<[string, AgentTask, AgentTask, Sent[]]>([
    ['verified and published', aTask({}, verifyingOn('v')), published, ['run', 'verify', 'effect']],
    ['without changes', aTask({}, runningOn('a')), ended(runningOn('a')), ['run']],
    [
      'not published',
      aTask({}, runningOn('a')),
      { ...ended(runningOn('a'), [entry(1, { outcome: 'Failed', reason: 'PublishFailed' })]) },
      ['run', 'effect'],
    ],
    [
      'refused by the forge',
      aTask({}, runningOn('a')),
      { ...ended(runningOn('a'), [entry(1, { outcome: 'Failed', reason: 'PublishRefused' })]) },
      ['run', 'effect'],
    ],
  ])('%s: below one root, with the parent of whatever its messages caused', (_, before, after, sent) => {
    const spans = spansOfTask(before, after);
    const ids = spans.map(({ spanId }) => spanId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(spans.filter(({ parentSpanId }) => !ids.includes(parentSpanId ?? '')).map(({ spanId }) => spanId)).toEqual([
      taskSpan(after.metadata.uid),
    ]);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([traceIdOf('uid-task')]));
    const sends = spans.filter(({ kind }) => kind === 'producer').map(({ spanId }) => spanId);
    expect(sends.sort()).toEqual(sent.map((one) => parentOf(after, one)).sort());
  });

  test('a sending has the time and the routing key that are known, else the time of the claim', () => {
    const before = aTask({}, verifyingOn('v'));
    const known = spansOfTask(before, published, { run: { at: NOW, routingKey: 'work.team.x' } });
    const [run, verify] = known.filter(({ name }) => name === 'send millwright.work');
    expect(run).toMatchObject({
      start: NOW,
      attributes: { 'messaging.rabbitmq.destination.routing_key': 'work.team.x' },
    });
    expect(verify?.start).toBe(published.status?.verifier?.at);
  });

  test('an attempt that ends is told once, and not with the verifier of another', () => {
    const first = entry(1, { outcome: 'Failed', reason: 'CommandFailed' });
    const second = aTask({}, { ...verifyingOn('v'), attempt: 2, history: [first] });
    expect(spansOfTask(second, second)).toEqual([]);
    const spans: FinishedSpan[] = [];
    traceTaskAgain({ ...noTelemetry, enabled: true, emit: (span) => void spans.push(span) }, second);
    expect(spans.map(({ name }) => name)).toEqual(['attempt 1', 'send millwright.work']);
  });

  test('a new leader tells the end again as it was', () => {
    const spans: FinishedSpan[] = [];
    traceTaskAgain({ ...noTelemetry, enabled: true, emit: (span) => void spans.push(span) }, published);
    expect(spans).toEqual(spansOfTask(aTask({}, verifyingOn('v')), published));
  });
});
