import { type AgentTask, labels, type Workflow } from '@millwright/crds';
import { expect, it } from 'vitest';
import type { Outcome } from './example.ts';
import { verdict } from './verdict.ts';

const task = (name: string, commit: string): AgentTask =>
  ({
    metadata: { name: `w-${name}`, labels: { [labels.task]: name } },
    status: { phase: 'Succeeded', tests: '1/1', branch: `ai/generated/w/${name}`, result: { commit } },
  }) as unknown as AgentTask;

const outcome: Outcome = {
  succeeded: true,
  repositoryUrl: 'git://forge/uuid.git',
  workflow: {
    metadata: { name: 'w' },
    status: { message: '2 of 2 tasks succeeded', headSHA: 'bbbb', traceID: 'trace' },
  } as unknown as Workflow,
  tasks: [task('last', 'bbbb'), task('first', 'aaaa')],
};

it('says how to get the branch that holds all the work', () => {
  const text = verdict({ local: true, context: 'c', namespace: 'demo' }, outcome, '75 s');
  expect(text).toContain('✓ 2 of 2 tasks succeeded (75 s in all)');
  expect(text).toContain('git clone --branch ai/generated/w/last git://forge/uuid.git /tmp/w');
  expect(text).toContain('npm run local -- output w-last -n demo');
  expect(text).not.toContain('--context');
});

it('names the context on a cluster that is not the default one, and leaves out the local platform', () => {
  const text = verdict({ local: false, context: 'mine', namespace: 'demo' }, outcome, '75 s');
  for (const line of text.split('\n').filter((one) => one.startsWith('  kubectl')))
    expect(line).toContain('-n demo --context mine');
  expect(text).not.toContain('npm run local');
});

it('points at the output of a task that failed', () => {
  const failed = { ...task('first', 'aaaa'), status: { phase: 'Failed' } } as AgentTask;
  const text = verdict({ local: true, context: 'c', namespace: 'demo' }, { ...outcome, tasks: [failed] }, '75 s');
  expect(text).toContain('npm run local -- output w-first -n demo');
});

it('offers no branch when there is none', () => {
  const failed = { ...outcome, succeeded: false, tasks: [] };
  expect(verdict({ local: true, context: 'c', namespace: 'demo' }, failed, '75 s')).not.toContain('git clone');
});
