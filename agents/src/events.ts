/** What is told about an attempt while it runs. Nothing here holds up the work or fails it. */
import { type Broker, targets } from '@millwright/broker';
import { type ArtifactRef, type EventMessage, eventMessage, type GrantMessage } from '@millwright/crds';
import type { LogStream } from './live-log.ts';

export interface AttemptEvents {
  progress(step: string, message?: string): void;
  /** Resolves when confirmed. */
  log(stream: LogStream, text: string): Promise<void>;
  artifact(artifact: ArtifactRef): void;
  /** Resolves when everything told so far is confirmed or lost, or after `limitMs`. */
  settled(limitMs: number): Promise<void>;
}

export function createEvents(
  broker: Pick<Broker, 'publish'>,
  { task, attempt, kind }: Pick<GrantMessage, 'task' | 'attempt' | 'kind'>,
  traceparent: string | undefined,
): AttemptEvents {
  let steps = 0;
  let sequence = 0;
  const underway = new Set<Promise<void>>();
  // The same for the same event, so that one that is published twice is recorded once.
  const identity = (what: string) => ({
    id: `${task.uid}:${attempt}:${kind}:${what}`,
    namespace: task.namespace,
    at: new Date().toISOString(),
    task,
    attempt,
  });

  const publish = (event: EventMessage): Promise<void> =>
    broker.publish(targets.event(event.type, event.namespace), eventMessage, event, {
      messageId: event.id,
      ...(traceparent === undefined ? {} : { traceparent }),
    });

  function tell(event: EventMessage): void {
    const sent = publish(event)
      .catch(() => undefined)
      .finally(() => underway.delete(sent));
    underway.add(sent);
  }

  return {
    progress(step, message) {
      steps += 1;
      tell({
        type: 'progress',
        ...identity(`progress:${steps}`),
        kind,
        step,
        ...(message === undefined ? {} : { message }),
      });
    },
    log(stream, text) {
      sequence += 1;
      return publish({ type: 'log', ...identity(`log:${sequence}`), kind, sequence, stream, text });
    },
    artifact(artifact) {
      tell({ type: 'artifact', ...identity(`artifact:${artifact.digest}`), artifact });
    },
    async settled(limitMs) {
      const limit = AbortSignal.timeout(limitMs);
      const late = new Promise<void>((resolve) => limit.addEventListener('abort', () => resolve(), { once: true }));
      await Promise.race([Promise.all(underway), late]);
    },
  };
}
