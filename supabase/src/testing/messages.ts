import type { EventMessage, LogEvent, SnapshotEvent } from '@millwright/crds';

/** A moment `seconds` into a fixed day. */
export const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 1) + seconds * 1000).toISOString();

/** A snapshot as the operator publishes it. */
export function snapshot(
  kind: SnapshotEvent['kind'],
  uid: string,
  version: number,
  status: Record<string, unknown> = {},
  more: Partial<SnapshotEvent> = {},
): SnapshotEvent {
  return {
    type: 'snapshot',
    id: `${uid}:${version}`,
    namespace: 'team-a',
    at: at(version),
    kind,
    uid,
    name: `${kind.toLowerCase()}-${uid}`,
    resourceVersion: String(version),
    createdAt: at(0),
    spec: { projectRef: { name: 'shop' } },
    status,
    ...more,
  };
}

/** A line of output. */
export function logLine(taskUid: string, sequence: number, text = `line ${sequence}`): LogEvent {
  return {
    type: 'log',
    id: `${taskUid}:1:run:log:${sequence}`,
    namespace: 'team-a',
    at: at(sequence),
    task: { uid: taskUid, namespace: 'team-a', name: `task-${taskUid}` },
    attempt: 1,
    kind: 'run',
    sequence,
    stream: 'stdout',
    text,
  };
}

/** One task from its creation over a failed attempt to success, as all that is ever published about it. */
export function lifeOfTask(uid: string): EventMessage[] {
  const task = { uid, namespace: 'team-a', name: `task-${uid}` };
  const digest = `sha256:${'a'.repeat(64)}`;
  const failed = {
    attempt: 1,
    outcome: 'Failed',
    class: 'agent',
    reason: 'CommandFailed',
    pod: 'pod-1',
    startedAt: at(2),
    finishedAt: at(4),
  };
  const succeeded = {
    attempt: 2,
    outcome: 'Succeeded',
    reason: 'Completed',
    pod: 'pod-2',
    startedAt: at(6),
    finishedAt: at(8),
  };
  const agent = (pod: string, second: number) => ({ pool: 'runners', pod, epoch: 1, at: at(second) });
  const more = { project: 'shop', workflowUid: 'workflow-1' };
  return [
    snapshot('AgentTask', uid, 1, { phase: 'Pending' }, more),
    snapshot('AgentTask', uid, 3, { phase: 'Running', attempt: 1, agent: agent('pod-1', 2), startedAt: at(2) }, more),
    logLine(uid, 0),
    logLine(uid, 1),
    {
      type: 'progress',
      id: `${uid}:step`,
      namespace: 'team-a',
      at: at(3),
      task,
      attempt: 1,
      kind: 'run',
      step: 'setup',
    },
    {
      type: 'artifact',
      id: `${uid}:log`,
      namespace: 'team-a',
      at: at(4),
      task,
      attempt: 1,
      artifact: { name: 'log', digest, bytes: 12 },
    },
    {
      type: 'artifact',
      id: `${uid}:report`,
      namespace: 'team-a',
      at: at(8),
      task,
      attempt: 2,
      artifact: { name: 'report', digest, mediaType: 'text/plain', bytes: 12 },
    },
    snapshot('AgentTask', uid, 5, { phase: 'Waiting', reason: 'BackingOff', attempt: 1, history: [failed] }, more),
    snapshot('AgentTask', uid, 7, { phase: 'Running', attempt: 2, agent: agent('pod-2', 6), history: [failed] }, more),
    snapshot(
      'AgentTask',
      uid,
      9,
      {
        phase: 'Succeeded',
        attempt: 2,
        agent: agent('pod-2', 6),
        verifier: agent('pod-3', 7),
        history: [failed, succeeded],
        result: { commit: 'b'.repeat(40), artifacts: [{ name: 'report', digest }] },
        startedAt: at(2),
        finishedAt: at(9),
      },
      more,
    ),
    snapshot(
      'AgentTask',
      uid,
      10,
      { phase: 'Succeeded', attempt: 2, history: [failed, succeeded] },
      { ...more, deleted: true },
    ),
  ];
}
