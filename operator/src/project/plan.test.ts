import type { Condition, Project, ProjectStatus } from '@millwright/crds';
import { expect, test } from 'vitest';
import { aProject, at, NOW } from '../testing/objects.ts';
import { type ProjectObservation, planProject } from './plan.ts';

const entry = (status: Condition['status'], observedGeneration = 1, message = ''): Condition => ({
  type: 'RepositoryReachable',
  status,
  reason: 'Before',
  message,
  observedGeneration,
  lastTransitionTime: at(-1000),
});
const withStatus = (project: Project, ...conditions: Condition[]): Project => ({ ...project, status: { conditions } });
const found = (status: Condition['status'], message = ''): ProjectObservation['repository'] => ({
  status,
  reason: 'Now',
  message,
});
const reachable = ({ conditions }: ProjectStatus) => conditions?.find(({ type }) => type === 'RepositoryReachable');

const ready = ({ conditions }: ProjectStatus) => conditions?.find(({ type }) => type === 'Ready');

test.each<[string, Project, ProjectObservation['repository'], Partial<Condition> | undefined, Partial<Condition>]>([
  ['nothing is known yet', aProject(), undefined, undefined, { status: 'Unknown', reason: 'NotProbed' }],
  [
    'it can be read',
    aProject(),
    found('True'),
    { status: 'True', reason: 'Now', observedGeneration: 1, lastTransitionTime: at(0) },
    { status: 'True', reason: 'Ready', observedGeneration: 1 },
  ],
  [
    'it cannot: the Project is not ready, and says why',
    aProject(),
    found('False', 'correct it'),
    { status: 'False' },
    { status: 'False', reason: 'Now', message: 'correct it' },
  ],
  ['nobody could look', aProject(), found('Unknown'), { status: 'Unknown' }, { status: 'Unknown', reason: 'Now' }],
  [
    'nobody can look any more: what was found stays',
    withStatus(aProject(), entry('False', 1, 'correct it')),
    found('Unknown'),
    { status: 'False', reason: 'Before' },
    { status: 'False', message: 'correct it' },
  ],
  [
    'nobody could look since the spec changed',
    withStatus(aProject({}, { generation: 2 }), entry('True')),
    found('Unknown'),
    { status: 'Unknown', observedGeneration: 2 },
    { status: 'Unknown', observedGeneration: 2 },
  ],
  [
    'the spec changed, and the answer is not there yet: what was found stays, as what it is',
    withStatus(aProject({}, { generation: 2 }), entry('True')),
    undefined,
    { status: 'True', observedGeneration: 1 },
    { status: 'True', observedGeneration: 1 },
  ],
  [
    'it still can be read',
    withStatus(aProject(), entry('True')),
    found('True'),
    { status: 'True', lastTransitionTime: at(-1000) },
    { status: 'True' },
  ],
  [
    'the Project is disabled, which comes first',
    aProject({ enabled: false }),
    found('False', 'correct it'),
    { status: 'False' },
    { status: 'False', reason: 'Disabled', message: 'spec.enabled is false: its tasks wait' },
  ],
])('%s', (_, project, repository, condition, readiness) => {
  const status = planProject({ project, workflows: [], repository }, NOW);
  if (condition) expect(reachable(status)).toMatchObject(condition);
  else expect(reachable(status)).toBeUndefined();
  expect(ready(status)).toMatchObject(readiness);
  expect(status.message).toBe(ready(status)?.status === 'True' ? '' : ready(status)?.message);
});
