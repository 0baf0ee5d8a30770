import type { WorkKey } from '@millwright/broker';
import type {
  AgentPool,
  AgentTask,
  ClaimMessage,
  EffectResultMessage,
  Project,
  ResultMessage,
  WorkKind,
} from '@millwright/crds';
import type { Trouble } from '../agent-pool/troubles.ts';
import type { Place } from '../scheduler/scheduler.ts';

/** A message that is read but not yet acknowledged: a fact, until an action settles it. */
export interface Unsettled<M> {
  /** Identifies the delivery within this process. */
  id: number;
  message: M;
  /** Milliseconds since the epoch. */
  receivedAt: number;
}

/** Messages about one task, already proved genuine (fencing token, broker user). Claims are in order of arrival. */
export interface TaskInbox {
  claims: readonly Unsettled<ClaimMessage>[];
  runResult?: Unsettled<ResultMessage>;
  verifyResult?: Unsettled<ResultMessage>;
  effectResult?: Unsettled<EffectResultMessage>;
}

/**
 * What is known of the pod that holds a grant. `ended` and `missing` become a verdict only after `confirmed`: a live read of the API
 * server that agreed with the cache. `external` agents have no pod; only their heartbeats speak.
 */
export interface Sandbox {
  state: 'alive' | 'ended' | 'missing' | 'external';
  confirmed: boolean;
  /** When this process first saw it gone, in milliseconds since the epoch. */
  goneSince?: number;
  /** Why the cluster ended it, for example Evicted. */
  reason?: string;
  message?: string;
}

/** Work that is with the broker, confirmed, as far as this process knows. */
export interface PublishedWork {
  attempt: number;
  kind: WorkKind;
  /** Decides its queue. */
  key: WorkKey;
  /** `<namespace>/<name>` of the pool that is to take it. */
  pool: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** An agent was told to drop it, which acknowledged the message, or the broker has lost it: nobody will be delivered it. */
  dropped?: boolean;
}

/** What the Workflow that owns the task says. */
export interface Owner {
  uid: string;
  name: string;
  /** Deleted, or being deleted. */
  gone: boolean;
  suspended: boolean;
  /** Why all its tasks are to end. */
  ending?: { reason: string; message: string };
}

/** All that the plan for a task may look at. */
export interface TaskObservation {
  task: AgentTask;
  project?: Project;
  owner?: Owner;
  /** Enabled and disabled pools of the namespace. */
  pools: readonly AgentPool[];
  place: Place;
  inbox: TaskInbox;
  /** What this process has published and had confirmed, so that it is not repeated on every pass. */
  published: { work?: PublishedWork; effect?: { attempt: number; at: number } };
  /** Why no sandbox starts that could claim its published work. */
  trouble?: Trouble;
  /** The holder of the grant that counts in the current phase. */
  sandbox?: Sandbox;
  /**
   * Since when this process hears what agents send, in milliseconds since the epoch; absent while it does not (it has just started, or the
   * broker is away). Silence counts from here: before that a heartbeat or a result may have been sent and wait in the broker.
   */
  listeningSince?: number;
  /** Last sign of life of the holder, in milliseconds since the epoch. */
  lastHeartbeatAt?: number;
  /** When the holder was told to stop. */
  cancelSentAt?: number;
  /** Pods that are being drained and must not be granted anything. */
  draining: ReadonlySet<string>;
  /** A number in [0, 1) for jitter. */
  random: number;
  /** Epoch of this leader. */
  epoch: number;
}
