import {
  type Condition,
  conditionTypes,
  isFinished,
  type Project,
  type ProjectStatus,
  reasons,
  type Workflow,
} from '@millwright/crds';
import { setCondition } from '../conditions.ts';
import { reachableOf } from './repository.ts';

/** All that the plan for a Project may look at. */
export interface ProjectObservation {
  project: Project;
  workflows: readonly Workflow[];
  /** What a git host has found out about the repository of this generation; undefined until one has. */
  repository: Pick<Condition, 'status' | 'reason' | 'message'> | undefined;
}

/** Sums up the Project. @param now milliseconds since the epoch */
export function planProject({ project, workflows, repository }: ProjectObservation, now: number): ProjectStatus {
  const generation = project.metadata.generation ?? 1;
  const common = { observedGeneration: generation, lastTransitionTime: new Date(now).toISOString() };
  let conditions: readonly Condition[] = project.status?.conditions ?? [];
  // Nobody who could look has nothing to say against what was found before.
  const known = reachableOf(project.status)?.observedGeneration === generation;
  if (repository && !(known && repository.status === 'Unknown'))
    conditions = setCondition(conditions, { type: conditionTypes.RepositoryReachable, ...repository, ...common });
  const ready = readiness(project, reachableOf({ conditions: [...conditions] }));
  return {
    ...project.status,
    observedGeneration: generation,
    activeWorkflows: workflows.filter((workflow) => !isFinished(workflow.status?.phase)).length,
    message: ready.status === 'True' ? '' : ready.message,
    conditions: setCondition(conditions, { type: conditionTypes.Ready, ...common, ...ready }),
  };
}

/** Whether tasks can start: as far as it is known of the repository, and of the generation that was looked at. */
function readiness(
  { spec }: Project,
  reachable: Condition | undefined,
): Pick<Condition, 'status' | 'reason' | 'message'> & Partial<Condition> {
  if (!spec.enabled)
    return { status: 'False', reason: reasons.Disabled, message: 'spec.enabled is false: its tasks wait' };
  if (!reachable) return { status: 'Unknown', reason: reasons.NotProbed, message: 'the repository is being looked at' };
  const { status, reason, message, observedGeneration } = reachable;
  return { status, reason: status === 'True' ? reasons.Ready : reason, message, observedGeneration };
}
