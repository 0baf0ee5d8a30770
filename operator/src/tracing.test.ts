import type { AgentTask, AttemptRecord } from '@millwright/crds';
import { type FinishedSpan, noTelemetry, parseTraceparent, traceIdOf } from '@millwright/otel';
import { describe, expect, test } from 'vitest';
import type { Pod } from './cluster.ts';
import { attemptSpan, type Sent, sentTrace } from './message-spans.ts';
import { aChild, aTask, at, aWorkflow, COMMIT, NOW, runningOn, verifyingOn } from './testing/objects.ts';
import { type Pods, spanOfWorkflow, spansOfTask, taskSpan, traceTaskAgain } from './tracing.ts';

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
const noPods = { get: () => undefined };
const parentOf = (task: AgentTask, sent: Sent) => parseTraceparent(sentTrace(task, 1, sent))?.spanId;

describe('the spans of a task', () => {
  test.each<[string, AgentTask, AgentTask, Sent[]]>([
    ['verified and published', aTask({}, verifyingOn('v')), published, ['run', 'verify', 'effect']],
    ['without changes', aTask({}, runningOn('a')), ended(runningOn('a')), ['run']],
    [
      'not pushed by its sandbox',
      aTask({}, runningOn('a')),
      { ...ended(runningOn('a'), [entry(1, { outcome: 'Failed', reason: 'PublishFailed' })]) },
      ['run'],
    ],
    [
      'refused by the forge',
      aTask({}, runningOn('a')),
      { ...ended(runningOn('a'), [entry(1, { outcome: 'Failed', reason: 'PublishRefused' })]) },
      ['run', 'effect'],
    ],
  ])('%s: below one root, with the parent of whatever its messages caused', (_, before, after, sent) => {
    const spans = spansOfTask(before, after, noPods);
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
    const known = spansOfTask(before, published, noPods, { run: { at: NOW, routingKey: 'work.team.x' } });
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
    expect(spansOfTask(second, second, noPods)).toEqual([]);
    const spans: FinishedSpan[] = [];
    traceTaskAgain({ ...noTelemetry, enabled: true, emit: (span) => void spans.push(span) }, second, noPods);
    expect(spans.map(({ name }) => name)).toEqual(['attempt 1', 'send millwright.work']);
  });

  test('a new leader tells the end again as it was', () => {
    const spans: FinishedSpan[] = [];
    traceTaskAgain({ ...noTelemetry, enabled: true, emit: (span) => void spans.push(span) }, published, noPods);
    expect(spans).toEqual(spansOfTask(aTask({}, verifyingOn('v')), published, noPods));
  });

  test('an attempt is linked to the one before that ran, and the first to none', () => {
    const lost = entry(2, { outcome: 'Failed', reason: 'SandboxLost' });
    delete lost.startedAt;
    const history = [entry(1, { outcome: 'Failed', reason: 'CommandFailed' }), lost, entry(3)];
    const after = ended({ ...runningOn('a'), attempt: 3 }, history);
    const attempts = spansOfTask(aTask({}, runningOn('a')), after, noPods).filter(({ name }) => /^attempt/.test(name));
    expect(attempts.map(({ name, links }) => [name, links])).toEqual([
      ['attempt 1', undefined],
      ['attempt 3', [{ traceId: traceIdOf('uid-task'), spanId: attemptSpan('uid-task', 1, 'run') }]],
    ]);
    // The same when only the last is new.
    const before = aTask({}, { ...runningOn('a'), attempt: 3, history: history.slice(0, 2) });
    expect(spansOfTask(before, after, noPods)[0]).toEqual(attempts[1]);
  });

  test('an attempt and its verification say which pod and Job they were in, as long as the cluster knows', () => {
    const pod = (name: string): Pod => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: 'team',
        uid: `uid-of-${name}`,
        resourceVersion: '1',
        creationTimestamp: at(0),
        labels: { 'batch.kubernetes.io/job-name': `${name}-job` },
      },
    });
    const pods = new Map(['runner', 'v'].map((name) => [`team/${name}`, pod(name)]));
    const before = aTask({}, verifyingOn('v'));
    const where = (known: Pods) =>
      spansOfTask(before, published, known)
        .filter(({ name }) => /^(verify )?attempt/.test(name))
        .map(({ attributes = {} }) =>
          ['name', 'uid'].map((of) => attributes[`k8s.pod.${of}`]).concat(attributes['k8s.job.name']),
        );
    expect(where(pods)).toEqual([
      ['runner', 'uid-of-runner', 'runner-job'],
      ['v', 'uid-of-v', 'v-job'],
    ]);
    expect(where(noPods)).toEqual([
      ['runner', undefined, undefined],
      ['v', undefined, undefined],
    ]);
  });

  test('every span of a task names the run that it is part of', () => {
    const { ownerReferences } = aChild(aWorkflow(), 'a').metadata;
    const child = (task: AgentTask): AgentTask => ({
      ...task,
      metadata: { ...task.metadata, ownerReferences: ownerReferences ?? [] },
    });
    const spans = spansOfTask(child(aTask({}, verifyingOn('v'))), child(published), noPods);
    const runs = spans
      .filter(({ kind }) => kind === undefined)
      .map(({ attributes }) => attributes?.['cicd.pipeline.run.id']);
    expect(runs).toEqual(['uid-flow', 'uid-flow', 'uid-flow']);
  });
});

describe('the span of a Workflow', () => {
  const TRACE = '0af7651916cd43dd8448eb211c80319c';
  const status = { phase: 'Succeeded', finishedAt: at(9000) } as const;
  test('is the root of the trace that follows from the uid, linked to the request that created it', () => {
    const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
    const span = spanOfWorkflow(aWorkflow({}, { annotations: { 'millwright.dev/traceparent': traceparent } }, status));
    expect(span).toMatchObject({
      traceId: traceIdOf('uid-flow'),
      links: [{ traceId: TRACE, spanId: 'b7ad6b7169203331' }],
    });
    expect(span?.parentSpanId).toBeUndefined();
  });

  test.each([undefined, { 'millwright.dev/traceparent': 'not a context' }])(
    'has no link with annotations %o',
    (annotations) => {
      const span = spanOfWorkflow(aWorkflow({}, annotations ? { annotations } : {}, status));
      expect(span?.traceId).toBe(traceIdOf('uid-flow'));
      expect(span?.links).toBeUndefined();
    },
  );
});
