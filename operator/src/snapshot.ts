import { MAX_MESSAGE_BYTES, type MillwrightResource, type SnapshotEvent } from '@millwright/crds';
import { workflowOf } from './agent-task/owner.ts';

/** The spec without what is large: the tasks of a Workflow are rows of their own. */
function summary(object: MillwrightResource): Record<string, unknown> {
  if (object.kind === 'Workflow') {
    const { tasks, ...spec } = object.spec;
    return { ...spec, taskCount: tasks.length };
  }
  if (object.kind !== 'AgentTask') return { ...object.spec };
  const { command, acceptance, params, ...spec } = object.spec;
  return {
    ...spec,
    ...(command === undefined ? {} : { command: [command.join(' ')] }),
    ...(acceptance === undefined ? {} : { acceptance: acceptance.slice(0, 8) }),
    ...(params === undefined ? {} : { params: Object.keys(params) }),
  };
}

/** Characters of a text, items of a list, and entries of a map that a snapshot has at most. */
interface Extent {
  text: number;
  items: number;
  entries: number;
}

/** Tried in turn until the message fits. Each field is bounded by its schema, so the last always does; no object of the API has as many fields. */
const extents: readonly Extent[] = [
  { text: 4096, items: 1024, entries: 64 },
  { text: 1024, items: 64, entries: 64 },
  { text: 256, items: 64, entries: 64 },
  { text: 64, items: 16, entries: 64 },
  { text: 24, items: 4, entries: 64 },
  { text: 12, items: 2, entries: 32 },
];

/** A JSON value with every text and list cut. Half a surrogate pair is none: Postgres takes no such text. */
function cut(value: unknown, extent: Extent): unknown {
  const { text, items, entries } = extent;
  if (typeof value === 'string') return value.length > text ? `${value.slice(0, text).toWellFormed()}…` : value;
  if (Array.isArray(value)) return value.slice(0, items).map((item) => cut(item, extent));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).slice(0, entries);
  return Object.fromEntries(kept.map(([key, child]) => [key, cut(child, extent)]));
}

/**
 * The event that says how an object is now. Its id holds the resourceVersion, so that repeating it changes nothing. Spec and status are
 * whole as far as a message has room for them: the object itself is in the cluster.
 * @param at RFC 3339
 */
export function snapshotOf(object: MillwrightResource, at: string, deleted: boolean): SnapshotEvent {
  const { metadata, kind } = object;
  const workflowUid = workflowOf(object)?.uid;
  const project = 'projectRef' in object.spec ? object.spec.projectRef.name : undefined;
  const about = {
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
  } as const;
  const spec = summary(object);
  const status = { ...object.status };
  let event: SnapshotEvent = { ...about, spec: {}, status: {} };
  for (const extent of extents) {
    event = {
      ...about,
      spec: cut(spec, extent) as SnapshotEvent['spec'],
      status: cut(status, extent) as SnapshotEvent['status'],
    };
    if (Buffer.byteLength(JSON.stringify(event)) <= MAX_MESSAGE_BYTES) break;
  }
  return event;
}
