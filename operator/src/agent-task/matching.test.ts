import { describe, expect, test } from 'vitest';
import { aPool, aProject, aTask } from '../testing/objects.ts';
import { matchPools } from './matching.ts';

const names = (match: ReturnType<typeof matchPools>): string[] =>
  match.ok ? match.pools.map(({ pool }) => pool.metadata.name) : [];

type Case = {
  task?: Parameters<typeof aTask>[0];
  pool?: Parameters<typeof aPool>[1];
  project?: Parameters<typeof aProject>[0];
  lacks?: string;
};

describe('whether a pool can run a task', () => {
  test.each<[string, Case]>([
    ['nothing required', {}],
    ['all offered', { task: { capabilities: ['a', 'b'] }, pool: { capabilities: ['b', 'c', 'a'] } }],
    ['one missing', { task: { capabilities: ['a', 'b'] }, pool: { capabilities: ['a'] }, lacks: 'capability b' }],
    ['a command on a model', { pool: { engine: 'llm' }, lacks: 'engine runner' }],
    ['disabled', { pool: { enabled: false }, lacks: 'enabled: true' }],
    ['a role of the pool', { task: { role: 'coder' }, pool: { roles: ['tester', 'coder'] } }],
    ['a role the pool does not play', { task: { role: 'coder' }, pool: { roles: ['tester'] }, lacks: 'role coder' }],
    ['a role, and a pool that names none', { task: { role: 'coder' } }],
    ['a pool with roles, and a task without', { pool: { roles: ['tester'] } }],
    ['no image anywhere', { project: { workspace: {} }, lacks: 'an image (neither spec.workspace.image' }],
    ['the image of the pool', { project: { workspace: {} }, pool: { image: 'pool:1' } }],
    ['the image of the task', { project: { workspace: {} }, task: { workspace: { image: 'task:1' } } }],
  ])('%s', (_, { task = {}, pool = {}, project = {}, lacks }) => {
    const match = matchPools(aTask(task).spec, aProject(project), [aPool('p', pool)]);
    if (lacks === undefined) expect(names(match)).toEqual(['p']);
    else expect(match).toMatchObject({ ok: false, message: expect.stringContaining(`"p", lacks ${lacks}`) });
  });
});

test.each(['runner', 'llm'] as const)('a prompt waits, and says what to do, with a pool of engine %s', (engine) => {
  const match = matchPools(aTask({ prompt: 'do it' }).spec, aProject(), [aPool('p', { engine })]);
  expect(match).toEqual({
    ok: false,
    message: expect.stringMatching(/no AgentPool offers engine llm.*create the task anew with command/),
  });
});

test('the most specific pools come first, then by name', () => {
  const pools = [
    aPool('wide', { capabilities: ['a', 'b', 'c'] }),
    aPool('z', { capabilities: ['a'] }),
    aPool('m', { capabilities: ['a'] }),
    aPool('other', { capabilities: ['b'] }),
  ];
  expect(names(matchPools(aTask({ capabilities: ['a'] }).spec, aProject(), pools))).toEqual(['m', 'z', 'wide']);
});

test('the nearest pool is the one that lacks least', () => {
  const pools = [aPool('far', { capabilities: ['x'], engine: 'llm' }), aPool('near', { capabilities: ['a'] })];
  expect(matchPools(aTask({ capabilities: ['a', 'b'] }).spec, aProject(), pools)).toEqual({
    ok: false,
    message:
      'the task needs engine runner and capabilities a, b; the nearest AgentPool, "near", lacks capability b: add it there or create a pool',
  });
});

test.each([
  ['of the task', { workspace: { image: 'task:1' } }, { workspace: { image: 'project:1' } }, 'task:1'],
  ['of the Project', {}, { workspace: { image: 'project:1' } }, 'project:1'],
  ['of the pool', {}, { workspace: {} }, 'pool:1'],
])('the queue is that of the image %s', (_, task, project, image) => {
  const pools = [aPool('p', { image: 'pool:1', capabilities: ['a', 'b'] })];
  const match = matchPools(aTask({ ...task, capabilities: ['b', 'a'] }).spec, aProject(project), pools);
  expect(match).toMatchObject({ pools: [{ key: { engine: 'runner', image, capabilities: ['a', 'b'] } }] });
});
