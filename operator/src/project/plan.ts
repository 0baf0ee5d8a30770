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
}

/** Sums up the Project. @param now milliseconds since the epoch */
export function planProject({ project, workflows }: ProjectObservation, now: number): ProjectStatus {
  const generation = project.metadata.generation ?? 1;
  const message = project.spec.enabled ? '' : 'spec.enabled is false: its tasks wait';
  const condition: Condition = {
    type: conditionTypes.Ready,
    status: project.spec.enabled ? 'True' : 'False',
    reason: project.spec.enabled ? reasons.Ready : reasons.Disabled,
    message,
    observedGeneration: generation,
    lastTransitionTime: new Date(now).toISOString(),
  };
  return {
    ...project.status,
    observedGeneration: generation,
    activeWorkflows: workflows.filter((workflow) => !isFinished(workflow.status?.phase)).length,
    message,
    conditions: setCondition(project.status?.conditions ?? [], condition),
  };
}
