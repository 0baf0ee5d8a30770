import type { Condition, Project } from '@millwright/crds';
import { expect, test } from 'vitest';
import { aProject, aTask, at, COMMIT } from '../testing/objects.ts';
import { repositoryObstacle } from './repository.ts';

const found = (status: Condition['status'], reason: string, observedGeneration = 1): Project => ({
  ...aProject(),
  status: {
    conditions: [
      {
        type: 'RepositoryReachable',
        status,
        reason,
        message: 'correct it',
        observedGeneration,
        lastTransitionTime: at(0),
      },
    ],
  },
});
const after = aTask({ dependencies: [{ name: 'first', ref: 'refs/attempts/uid-first/1', commit: COMMIT }] });

test.each<[string, Project, ReturnType<typeof aTask>, boolean]>([
  ['nothing is known yet', aProject(), aTask(), false],
  ['it can be read', found('True', 'Reachable'), aTask(), false],
  ['nobody could look', found('Unknown', 'NotProbed'), aTask(), false],
  ['the forge is away for the moment', found('False', 'RepositoryUnavailable'), aTask(), false],
  ['there is no such repository', found('False', 'RepositoryNotFound'), aTask(), true],
  ['there was none for the spec before', found('False', 'RepositoryNotFound', 0), aTask(), true],
  ['it is not shown to the credentials', found('False', 'CredentialsRefused'), aTask(), true],
  ['it has no such branch', found('False', 'BranchNotFound'), aTask(), true],
  [
    'it has no such branch, and the task names another',
    found('False', 'BranchNotFound'),
    aTask({ revision: 'v1' }),
    false,
  ],
  ['the commit to start from is known', found('False', 'RepositoryNotFound'), after, false],
])('%s', (_, project, task, waits) => {
  expect(repositoryObstacle(project, task)?.message).toBe(waits ? 'correct it' : undefined);
});
