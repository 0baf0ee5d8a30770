import { grantMessage, MAX_MESSAGE_BYTES, verifyAttemptToken } from '@millwright/crds';
import { describe, expect, test } from 'vitest';
import { aChild, aProject, aTask, at, aWorkflow, COMMIT, NOW, runningOn, verifyingOn } from '../testing/objects.ts';
import { isFencedBy } from './fencing.ts';
import { buildGrant, type GrantSettings, grantProblem } from './grant.ts';

const settings: GrantSettings = {
  signingKey: 's'.repeat(32),
  gatewayUrl: 'http://gateway:8080',
  author: { name: 'Millwright', email: 'millwright@millwright.dev' },
};

function grantOf(task = aTask({}, runningOn('a')), project = aProject(), kind: 'run' | 'verify' = 'run') {
  const grant = buildGrant(task, project, kind, settings, NOW);
  if (!grant) throw new Error('no grant');
  expect(grantMessage.parse(grant)).toEqual(grant);
  return grant;
}

describe('a grant', () => {
  test('is of the attempt, pod and epoch in the status', () => {
    const { token } = grantOf();
    const fence = { task: 'uid-task', attempt: 1, kind: 'run', epoch: 1, pod: 'a' } as const;
    expect(isFencedBy(token, fence, settings.signingKey)).toBe(true);
  });

  test('of a task that no Workflow owns says so, whatever its labels claim', () => {
    const labels = {
      'millwright.dev/workflow-uid': 'not/a_uid',
      'millwright.dev/workflow': 'flow',
      'millwright.dev/task': 'build',
    };
    const grant = grantOf(aTask({}, runningOn('a'), { labels }));
    expect(grant.git.baseRef).toBe('refs/workflows/uid-task/base');
    expect(grant.env).toContainEqual({ name: 'MILLWRIGHT_TASK', value: 'task' });
    expect(grant.env).toContainEqual({ name: 'MILLWRIGHT_WORKFLOW', value: '' });
  });

  test('is not given without a holder', () => {
    expect(buildGrant(aTask(), aProject(), 'run', settings, NOW)).toBeUndefined();
    expect(buildGrant(aTask({}, verifyingOn(undefined)), aProject(), 'verify', settings, NOW)).toBeUndefined();
  });

  test('is the same when asked for again', () => {
    const task = aTask({}, runningOn('a'));
    expect(buildGrant(task, aProject(), 'run', settings, NOW)).toEqual(grantOf(task));
    expect(buildGrant(task, aProject(), 'run', settings, NOW + 9000)?.token).toBe(grantOf(task).token);
    expect(buildGrant(task, aProject(), 'run', settings, NOW + 9000)?.deadline).toBe(grantOf(task).deadline);
  });

  test('ends when the time of the attempt does, counted from the grant', () => {
    expect(grantOf(aTask({ timeoutSeconds: 60 }, runningOn('a')))).toMatchObject({
      timeoutSeconds: 60,
      deadline: at(60_000),
    });
  });

  test('lets the agent read the project and push its own ref only, a little beyond its time', () => {
    const { gitToken, artifactToken, git } = grantOf(aTask({ timeoutSeconds: 60, revision: 'v1' }, runningOn('a')));
    expect(git).toMatchObject({
      url: 'http://gateway:8080/git/team/project.git',
      baseRef: 'refs/workflows/uid-task/base',
      pushRef: 'refs/attempts/uid-task/1',
    });
    expect(git).not.toHaveProperty('commit');
    const seconds = (NOW + 60_000) / 1000;
    expect(verifyAttemptToken(gitToken, settings.signingKey, 'git', seconds)).toMatchObject({
      ns: 'team',
      project: 'project',
      task: 'uid-task',
      attempt: 1,
      kind: 'run',
      revision: 'v1',
      exp: seconds + 300,
    });
    // The token that the workspace sees is for git alone.
    expect(() => verifyAttemptToken(gitToken, settings.signingKey, 'artifacts', seconds)).toThrow(/not meant for/);
    expect(() => verifyAttemptToken(artifactToken, settings.signingKey, 'git', seconds)).toThrow(/not meant for/);
    expect(verifyAttemptToken(artifactToken, settings.signingKey, 'artifacts', seconds).attempt).toBe(1);
  });

  test('tasks of a Workflow start from one commit', () => {
    const workflow = aWorkflow();
    const task = { ...aChild(workflow, 'one'), status: runningOn('a') };
    expect(grantOf(task).git.baseRef).toBe('refs/workflows/uid-flow/base');
  });

  test('to verify names the commit, and is of the verifier', () => {
    const task = aTask({ acceptance: ['true'] }, verifyingOn('v'));
    const grant = grantOf(task, aProject(), 'verify');
    expect(grant.git.commit).toBe(COMMIT);
    const fence = { task: 'uid-task', attempt: 1, kind: 'verify', epoch: 1, pod: 'v' } as const;
    expect(isFencedBy(grant.token, fence, settings.signingKey)).toBe(true);
    expect(verifyAttemptToken(grant.gitToken, settings.signingKey, 'git', NOW / 1000).kind).toBe('verify');
  });

  test('the workspace of the task goes before that of the project, field by field', () => {
    const project = aProject({ workspace: { image: 'i', setup: ['a'], env: [{ name: 'X', value: '1' }] } });
    const task = aTask({ workspace: { setup: ['b'] }, params: { go: 'yes' } }, runningOn('a'));
    const grant = grantOf(task, project);
    expect(grant.commands).toEqual({ setup: ['b'], command: ['true'], acceptance: [] });
    expect(grant.env).toEqual(
      expect.arrayContaining([
        { name: 'X', value: '1' },
        { name: 'MILLWRIGHT_PARAM_GO', value: 'yes' },
        { name: 'MILLWRIGHT_ATTEMPT', value: '1' },
      ]),
    );
  });

  test('the commit says where it comes from, in one line and four trailers', () => {
    const task = aTask({ prompt: `Fix\n  the ${'very '.repeat(50)} long thing` }, runningOn('a'));
    const lines = grantOf(task).git.message.split('\n');
    expect(lines[0]).toMatch(/^task: Fix the very very/);
    expect(lines[0]?.length).toBeLessThanOrEqual(130);
    expect(lines.slice(1)).toEqual([
      '',
      'Millwright-Workflow: team/-',
      'Millwright-Branch: ai/generated/tasks/task',
      'Millwright-Task: team/task',
      'Millwright-Attempt: 1',
    ]);
  });
});

describe('a spec that no grant can hold', () => {
  const large = (bytes: number) => ({
    prompt: 'p'.repeat(100),
    acceptance: ['true'],
    workspace: { setup: chunks(bytes) },
  });
  const chunks = (bytes: number) => Array.from({ length: Math.ceil(bytes / 4000) }, () => 'x'.repeat(4000));

  test.each([
    ['small', large(1000), undefined],
    ['just small enough', large(48_000), undefined],
    ['too large', large(60_000), /together have \d+ bytes, at most 53248 fit/],
    [
      'too many variables',
      { params: Object.fromEntries(Array.from({ length: 254 }, (_, i) => [`p${i}`, ''])) },
      /257 variables/,
    ],
  ])('%s', (_, spec, problem) => {
    const task = aTask(spec, runningOn('a'));
    if (problem) expect(grantProblem(task, aProject())).toMatch(problem);
    else {
      expect(grantProblem(task, aProject())).toBeUndefined();
      expect(Buffer.byteLength(JSON.stringify(grantOf(task)))).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
    }
  });

  test('bytes count, not letters', () => {
    expect(grantProblem(aTask({ prompt: '€'.repeat(20_000) }), aProject())).toMatch(/together/);
  });
});
