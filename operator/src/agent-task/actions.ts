import type { WorkKey } from '@millwright/broker';
import type { AgentTaskStatus, WorkKind } from '@millwright/crds';
import type { Note } from '../note.ts';
import type { Candidate } from '../scheduler/admit.ts';

/** What the plan for a task can ask for. Actions run in order; one that fails ends the pass, and the task is planned anew. */
export type TaskAction =
  | { do: 'request'; candidate: Candidate }
  | { do: 'occupy'; pool: string }
  | { do: 'release' }
  /** `pool`: whose sandboxes are to take it, `<namespace>/<name>`. */
  | { do: 'publishWork'; attempt: number; kind: WorkKind; key: WorkKey; pool: string }
  | { do: 'publishBranch'; attempt: number; retry: number; commit: string; ref: string; base: string; branch: string }
  /** The whole next status; the difference to the current one is written. `lazy`: only when still true after a while. */
  | { do: 'status'; status: AgentTaskStatus; lazy?: boolean; note?: Note }
  | { do: 'grant'; claim: number; kind: WorkKind }
  | { do: 'drop'; claim: number; reason: string }
  | { do: 'settle'; messages: readonly number[] }
  /** Tells the holder of the grant to stop. */
  | { do: 'cancel'; attempt: number; reason: string }
  /** The attempt is over: its gateway token is no longer good, and what is kept about it in memory may go. */
  | { do: 'endAttempt'; attempt: number }
  /** Reads the pod live, so that a stale cache cannot cause a verdict. */
  | { do: 'confirmSandbox'; pod: string }
  /** Ends a sandbox that does not stop by itself. */
  | { do: 'deleteSandbox'; pod: string }
  /** Its time to live is over. */
  | { do: 'delete' };

export interface TaskPlan {
  actions: TaskAction[];
  /** When to look again even if nothing happens. */
  requeueAfterMs?: number;
}
