import type { WorkflowStatus } from '@millwright/crds';
import type { Note } from '../note.ts';
import type { TaskDraft } from './children.ts';

/** What the plan for a Workflow can ask for, in order. */
export type WorkflowAction =
  | { do: 'create'; tasks: readonly TaskDraft[] }
  /** `lazy`: only when still true after a while, since a later pass may have more to say. */
  | { do: 'status'; status: WorkflowStatus; lazy?: boolean; note?: Note }
  /** Its tasks look at the Workflow for suspension and cancellation. */
  | { do: 'notifyTasks' }
  | { do: 'delete' };

export interface WorkflowPlan {
  actions: WorkflowAction[];
  requeueAfterMs?: number;
}
