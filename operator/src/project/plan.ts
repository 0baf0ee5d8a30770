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
  const disabled = project.spec.enabled ? '' : 'spec.enabled is false: its tasks wait';
  let conditions = setCondition(project.status?.conditions ?? [], {
    type: conditionTypes.Ready,
    status: project.spec.enabled ? 'True' : 'False',
    reason: project.spec.enabled ? reasons.Ready : reasons.Disabled,
    message: disabled,
    ...common,
  });
  const ofType = (condition: Condition) => condition.type === conditionTypes.RepositoryReachable;
  // Nobody who could look has nothing to say against what was found before.
  const known = conditions.find(ofType)?.observedGeneration === generation;
  if (repository && !(known && repository.status === 'Unknown'))
    conditions = setCondition(conditions, { type: conditionTypes.RepositoryReachable, ...repository, ...common });
  const reachable = conditions.find(ofType);
  return {
    ...project.status,
    observedGeneration: generation,
    activeWorkflows: workflows.filter((workflow) => !isFinished(workflow.status?.phase)).length,
    message: disabled || (reachable?.status === 'False' ? reachable.message : ''),
    conditions,
  };
}
