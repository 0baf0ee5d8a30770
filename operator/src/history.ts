import { type Broker, targets } from '@millwright/broker';
import { eventMessage, labels, type MillwrightResource, type SnapshotEvent } from '@millwright/crds';
import type { Logger } from '@millwright/otel';

/** Text in a snapshot beyond this is cut: the spec itself is in the cluster, and messages stay under their limit. */
const TEXT = 4096;

const cut = (value: string): string => (value.length > TEXT ? `${value.slice(0, TEXT)}…` : value);

/** The spec without what is large: the tasks of a Workflow are rows of their own. */
function summary(object: MillwrightResource): Record<string, unknown> {
  if (object.kind === 'Workflow') {
    const { tasks, ...spec } = object.spec;
    return { ...spec, taskCount: tasks.length };
  }
  if (object.kind !== 'AgentTask') return { ...object.spec };
  const { prompt, command, acceptance, params, ...spec } = object.spec;
  return {
    ...spec,
    ...(prompt === undefined ? {} : { prompt: cut(prompt) }),
    ...(command === undefined ? {} : { command: [cut(command.join(' '))] }),
    ...(acceptance === undefined ? {} : { acceptance: acceptance.slice(0, 8).map(cut) }),
    ...(params === undefined ? {} : { params: Object.keys(params) }),
  };
}

/** The event that says how an object is now. Its id holds the resourceVersion, so that repeating it changes nothing. */
export function snapshotOf(object: MillwrightResource, at: string, deleted: boolean): SnapshotEvent {
  const { metadata, kind } = object;
  const workflowUid = metadata.labels?.[labels.workflowUid];
  const project = 'projectRef' in object.spec ? object.spec.projectRef.name : undefined;
  return {
    type: 'snapshot',
    id: `${metadata.uid}:${metadata.resourceVersion}${deleted ? ':deleted' : ''}`,
    namespace: metadata.namespace,
    at,
    kind,
    uid: metadata.uid,
    name: metadata.name,
    resourceVersion: metadata.resourceVersion,
    ...(project === undefined ? {} : { project }),
    ...(workflowUid === undefined ? {} : { workflowUid }),
    createdAt: metadata.creationTimestamp,
    ...(deleted ? { deleted: true } : {}),
    spec: summary(object),
    status: { ...object.status },
  };
}

/**
 * Publishes snapshots for the recorder. Level-triggered: only the latest state of an object counts, so while the broker is away one entry per
 * object waits, and a new leader says everything once more.
 */
export class History {
  readonly #pending = new Map<string, SnapshotEvent>();
  readonly #broker: Broker;
  readonly #logger: Logger;
  readonly #allowed: () => boolean;

  constructor(options: { broker: Broker; logger: Logger; allowed: () => boolean }) {
    this.#broker = options.broker;
    this.#logger = options.logger;
    this.#allowed = options.allowed;
    this.#broker.onStateChange((state) => {
      if (state === 'connected') this.#flush();
    });
  }

  record(object: MillwrightResource, deleted = false): void {
    const event = snapshotOf(object, new Date().toISOString(), deleted);
    this.#pending.set(event.uid, event);
    if (this.#broker.connected) this.#send(event);
  }

  #flush(): void {
    for (const event of [...this.#pending.values()]) this.#send(event);
  }

  #send(event: SnapshotEvent): void {
    if (!this.#allowed()) return;
    this.#broker.publish(targets.event('snapshot', event.namespace), eventMessage, event, { messageId: event.id }).then(
      () => {
        if (this.#pending.get(event.uid) === event) this.#pending.delete(event.uid);
      },
      (error: unknown) =>
        this.#logger.warn('a snapshot waits for the broker', {
          kind: event.kind,
          name: event.name,
          error: String(error),
        }),
    );
  }
}
