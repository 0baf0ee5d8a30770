import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentTaskStatus, EffectResultMessage, PublishBranchMessage } from '@millwright/crds';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFence, FenceError } from '../fence/fence.ts';
import { KubeError } from '../shared/kube.ts';
import { CredentialsError, fileProjects } from '../shared/projects.ts';
import type { ReadTask } from '../shared/tasks.ts';
import { clientGit, commit, type Forge, startForge } from '../testing/forge.ts';
import { signingKey, startGitHost, type TestGitHost, tokenFor } from '../testing/git-host.ts';
import { type PublishOptions, publishBranch, taskWants } from './publish-branch.ts';

// Dozens of git programs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
let forge: Forge;
let host: TestGitHost;
let upstream: Awaited<ReturnType<Forge['repository']>>;
let options: PublishOptions;
let produced: string;
let work: string;
const fence = createFence();
afterAll(() => fence.close());

const branch = 'ai/generated/fix-tests/build';
/** The message of a commit that an agent made for the task. */
const marked = (workflow = 'team/fix-tests') => `Fix\n\nMillwright-Workflow: ${workflow}\nMillwright-Branch: ${branch}`;
const effect = (change: Partial<PublishBranchMessage> = {}): PublishBranchMessage => ({
  type: 'publishBranch',
  id: 'task-1:1:branch',
  task: { uid: 'task-1', namespace: 'team', name: 'build' },
  attempt: 1,
  retry: 0,
  epoch: 1,
  project: 'app',
  ref: 'refs/attempts/task-1/1',
  commit: produced,
  base: 'refs/workflows/wf-1/base',
  branch,
  replaces: {
    committer: 'test@example.com',
    lines: ['Millwright-Workflow: team/fix-tests', `Millwright-Branch: ${branch}`],
  },
  ...change,
});
/** Publishes, where somebody waits for the answer. */
const publish = async (change: Partial<PublishBranchMessage> = {}, own = options): Promise<EffectResultMessage> => {
  const answer = await publishBranch(effect(change), own);
  if (!answer) throw new Error('nobody wanted it');
  return answer;
};
/** Commits on top of `on`, pushes as the attempt would, and gives what its effect has of its own. */
const attempt = async (number: number, files: Record<string, string>, on = 'HEAD', message = marked()) => {
  await clientGit(work, 'reset', '-q', '--hard', on);
  const made = await commit(work, files, message);
  const ref = `refs/attempts/task-1/${number}`;
  await clientGit(work, 'push', '-q', '--force', host.cloneUrl(tokenFor({ attempt: number })), `HEAD:${ref}`);
  return { attempt: number, ref, commit: made };
};
/** Somebody pushes to the branch on the forge. */
const pushedByHand = (ref: string) =>
  clientGit(work, 'push', '-q', '--force', upstream.bare, `${ref}:refs/heads/${branch}`);
const onForge = async (ref = `refs/heads/${branch}`) =>
  (await clientGit(upstream.bare, 'for-each-ref', '--format=%(objectname)', ref)).trim();
const hook = async (name: string, script: string) => {
  const file = join(upstream.bare, 'hooks', name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millwright-publish-'));
  forge = await startForge(join(folder, 'forge'));
  upstream = await forge.repository('app');
  host = await startGitHost(folder);
  await host.setProjects({ 'team/app': { url: upstream.url, credentials: forge.credentials } });
  work = join(folder, 'work');
  await clientGit(folder, 'clone', '-q', host.cloneUrl(tokenFor()), work);
  produced = await commit(work, { 'fix.txt': 'fixed' }, marked());
  await clientGit(work, 'push', '-q', 'origin', 'HEAD:refs/attempts/task-1/1');
  options = {
    lookup: fileProjects(join(folder, 'projects.json')),
    isWanted: async () => true,
    fence,
    gitUrls: [host.url],
    signingKey,
    workDir: join(folder, 'publisher'),
  };
});
afterEach(async () => {
  await host.close();
  await forge.close();
  await rm(folder, { recursive: true, force: true });
});

describe('publishing a branch', () => {
  it('puts the commit on the forge, and again without harm', async () => {
    const answer = await publish();
    expect(answer).toMatchObject({ type: 'effectResult', id: 'task-1:1:branch', ok: true, branch, commit: produced });
    expect(await onForge()).toBe(produced);
    const requests = forge.requests();
    expect(await publish()).toEqual(answer);
    // Asked (without a login, then with it), and not pushed.
    expect(forge.requests() - requests).toBeLessThanOrEqual(3);
  });

  it('is the same when four do it at once', async () => {
    const each = Array.from({ length: 4 }, (_, i) => ({ ...options, workDir: join(folder, `publisher-${i}`) }));
    const answers = await Promise.all(each.map((own) => publish({}, own)));
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, true, true]);
    expect(await onForge()).toBe(produced);
  });

  it('publishes the commit that was verified, though the ref has moved on', async () => {
    await clientGit(work, 'commit', '-q', '--amend', '-m', 'Another');
    await clientGit(work, 'push', '-q', '--force', 'origin', 'HEAD:refs/attempts/task-1/1');
    expect(await publish()).toMatchObject({ ok: true });
    expect(await onForge()).toBe(produced);
  });
});

describe('what the commit changes', () => {
  it('is refused when the policy does not let agents change it, whatever the git host has let be', async () => {
    const open = { paths: { classes: { ci: 'allow' as const } } };
    const project = { url: upstream.url, credentials: forge.credentials };
    await host.setProjects({ 'team/app': { ...project, policy: open } });
    const changed = await attempt(1, { '.github/workflows/ci.yml': 'on: push' });
    await host.setProjects({ 'team/app': project });
    const answer = await publish(changed);
    expect(answer).toMatchObject({ ok: false, failure: 'permanent', reason: 'Fenced' });
    expect(answer.message).toMatch(
      /^the policy of Project app \(spec\.policy\) refuses these changes; "\.github\/workflows/,
    );
    expect(await onForge()).toBe('');
    await host.setProjects({ 'team/app': { ...project, policy: open } });
    expect(await publish(changed)).toMatchObject({ ok: true });
    expect(await onForge()).toBe(changed.commit);
  });

  it('is judged as a whole, from what the Workflow started from, and told where somebody should look at it', async () => {
    await attempt(1, { 'go.mod': 'module a' });
    const second = await attempt(2, { 'other.txt': 'x' });
    const findings = [{ kind: 'path', path: 'go.mod', message: 'manifest' }];
    expect(await publish(second)).toMatchObject({ ok: true, findings });
  });

  it('waits while nobody can tell', async () => {
    const judge = () => Promise.reject(new FenceError('the change could not be judged'));
    expect(await publish({}, { ...options, fence: { judge } })).toMatchObject({ ok: false, failure: 'temporary' });
    expect(await onForge()).toBe('');
  });

  it('waits for an operator who says what it started from', async () => {
    const { base: _, ...former } = effect();
    expect(await publishBranch(former, options)).toMatchObject({ ok: false, failure: 'temporary' });
    expect(await onForge()).toBe('');
  });
});

describe('a branch that is there already', () => {
  it('is replaced when an earlier attempt published it, though that is no ancestor', async () => {
    await publish();
    const second = await attempt(2, { 'other.txt': 'better' }, 'HEAD~1');
    expect(await publish(second)).toMatchObject({ ok: true });
    expect(await onForge()).toBe(second.commit);
  });

  it('is replaced when an earlier Workflow of this name published it', async () => {
    await publish();
    const anew = await attempt(1, { 'fix.txt': 'again' }, upstream.head);
    await clientGit(work, 'push', '-q', host.cloneUrl(tokenFor({ task: 'task-9' })), 'HEAD:refs/attempts/task-9/1');
    const task = { uid: 'task-9', namespace: 'team', name: 'build' };
    expect(await publish({ task, commit: anew.commit, ref: 'refs/attempts/task-9/1' })).toMatchObject({ ok: true });
    expect(await onForge()).toBe(anew.commit);
  });

  const foreign: [string, () => Promise<unknown>][] = [
    ['has a commit of a person on top', () => commit(work, { 'review.txt': 'x' }, 'Review')],
    [
      'has a commit that a person amended',
      () => clientGit(work, '-c', 'alias.x=!GIT_COMMITTER_EMAIL=ada@example.com git commit -q --amend --no-edit', 'x'),
    ],
    [
      'is of a Workflow in another namespace',
      () => clientGit(work, 'commit', '-q', '--amend', '-m', marked('other/fix-tests')),
    ],
    ['has nothing to do with it', () => clientGit(work, 'reset', '-q', '--hard', upstream.head)],
  ];
  it.each(foreign)('and %s is left alone: says which branch, and what to do', async (_, change) => {
    await change();
    await pushedByHand('HEAD');
    const there = await onForge();
    const answer = await publish();
    expect(answer).toMatchObject({ ok: false, failure: 'permanent' });
    expect(answer.message).toContain(`${branch} on the forge points to ${there.slice(0, 12)}`);
    expect(answer.message).toContain(
      'rename or delete that branch on the forge, or run the Workflow under another name',
    );
    expect(await onForge()).toBe(there);
  });

  it('is looked at again when it moved between looking and pushing', async () => {
    const first = await attempt(1, { 'fix.txt': 'first' }, upstream.head);
    const second = await attempt(2, { 'fix.txt': 'second' }, upstream.head);
    await publish(first);
    await clientGit(upstream.bare, 'update-ref', '-d', `refs/heads/${branch}`);
    // The first push finds the branch made by somebody else.
    const file = `refs/heads/${branch}`;
    await hook(
      'pre-receive',
      `test -e moved || { touch moved; mkdir -p $(dirname ${file}); echo ${first.commit} >${file}; }`,
    );
    expect(await publish(second)).toMatchObject({ ok: true });
    expect(await onForge()).toBe(second.commit);
  });

  it('does not go back, whatever an earlier attempt has still in hand on another replica', async () => {
    const replica = { ...options, workDir: join(folder, 'other') };
    const second = await attempt(2, { 'fix.txt': 'second' }, upstream.head);
    let isOver = false;
    // The last moment at which the first attempt goes on; after it, and before the push, the second one publishes.
    const isWanted = async () => {
      if (isOver) return false;
      isOver = true;
      await publish(second, replica);
      return true;
    };
    expect(await publishBranch(effect(), { ...options, isWanted })).toBeUndefined();
    expect(await onForge()).toBe(second.commit);
  });
});

describe('an effect', () => {
  const task = (status: AgentTaskStatus, uid = 'task-1') =>
    ({ metadata: { uid }, status }) as Awaited<ReturnType<ReadTask>>;
  const publishing = (commit: string) =>
    task({ phase: 'Running', reason: 'Publishing', attempt: 1, result: { commit } });
  it.each<[string, () => ReturnType<ReadTask>, boolean]>([
    ['whose attempt runs', async () => task({ phase: 'Running', attempt: 1 }), true],
    ['whose task publishes it', async () => publishing(produced), true],
    ['whose task publishes another commit', async () => publishing(upstream.head), false],
    ['whose task is at a later attempt', async () => task({ phase: 'Waiting', attempt: 2 }), false],
    ['whose task was cancelled', async () => task({ phase: 'Cancelled', attempt: 1 }), false],
    ['whose task was made anew', async () => task({ phase: 'Running', attempt: 1 }, 'task-2'), false],
    ['whose task is gone', () => Promise.reject(new KubeError(404, 'not found')), false],
  ])('%s is wanted or not', async (_, read, wanted) => {
    const answer = await publishBranch(effect(), { ...options, isWanted: taskWants(read) });
    expect(answer?.ok).toBe(wanted || undefined);
    expect(await onForge()).toBe(wanted ? produced : '');
  });

  it('waits while nobody can tell whether it is wanted', async () => {
    const isWanted = taskWants(() => Promise.reject(new KubeError(0, 'the Kubernetes API cannot be reached')));
    expect(await publish({}, { ...options, isWanted })).toMatchObject({ ok: false, failure: 'temporary' });
    expect(await onForge()).toBe('');
  });

  it('is given up in time when its forge hangs', async () => {
    forge.hang();
    const started = performance.now();
    expect(await publish({}, { ...options, timeLimitMs: 500 })).toMatchObject({ ok: false, failure: 'temporary' });
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('what cannot be published', () => {
  const refused: [string, Partial<PublishBranchMessage>, RegExp][] = [
    ['the default branch', { branch: 'main' }, /not a branch of the form ai\/generated/],
    ['a branch outside its folder', { branch: 'ai/generated/../main' }, /not a branch of the form/],
    ['a branch with too few parts', { branch: 'ai/generated/main' }, /not a branch of the form/],
    ['an option', { branch: '--mirror' }, /not a branch of the form/],
    ['a refspec', { branch: 'ai/generated/a/b:refs/heads/main' }, /not a branch of the form/],
    ["another attempt's ref", { ref: 'refs/attempts/task-1/2' }, /not the ref of attempt 1/],
    ['a commit that is not there', { commit: 'a'.repeat(40) }, /no commit aaaa/],
    ['a base that is not there', { base: 'refs/workflows/gone/base' }, /no base of its Workflow/],
    ['a base that is a branch', { base: 'refs/heads/main' }, /not the ref of the base of a Workflow/],
    ['a project that is a path', { project: '../../etc' }, /not a namespace and a name/],
    ['a project that is not there', { project: 'gone' }, /Project team\/gone does not exist/],
  ];
  it.each(refused)('%s: says so, once', async (_, change, reason) => {
    const answer = await publish(change);
    expect(answer).toMatchObject({ ok: false, failure: 'permanent', message: expect.stringMatching(reason) });
    expect(await onForge('refs/heads')).toBe(upstream.head);
  });

  it("gives the forge's words when a hook declines", async () => {
    await hook('pre-receive', 'echo "branches from robots are not welcome" >&2; exit 1');
    const answer = await publish();
    expect(answer).toMatchObject({ ok: false, failure: 'permanent' });
    expect(answer.message).toContain('branches from robots are not welcome');
  });

  it('says which branch is in the way', async () => {
    await clientGit(upstream.bare, 'update-ref', 'refs/heads/ai/generated/fix-tests', upstream.head);
    const answer = await publish();
    expect(answer).toMatchObject({ ok: false, failure: 'permanent' });
    expect(answer.message).toContain("'refs/heads/ai/generated/fix-tests' exists");
  });

  it('does not try again what a rule of the forge refuses', async () => {
    await clientGit(upstream.bare, 'config', 'receive.denyNonFastForwards', 'true');
    const other = await attempt(1, { 'fix.txt': 'other' }, upstream.head);
    await pushedByHand(other.commit);
    const answer = await publish();
    expect(answer).toMatchObject({
      ok: false,
      failure: 'permanent',
      message: expect.stringContaining('non-fast-forward'),
    });
    expect(answer.message).toContain('let the credentials of the Project push branches ai/generated/**');
    expect(await onForge()).toBe(other.commit);
  });

  it('may work later when a hook declines because the forge is ill', async () => {
    await hook('pre-receive', 'test -e ill || { touch ill; echo "forge: Internal Server Error" >&2; exit 1; }');
    expect(await publish()).toMatchObject({ ok: false, failure: 'temporary' });
    expect(await publish()).toMatchObject({ ok: true });
  });

  it('tells wrong credentials apart, and shows none', async () => {
    await host.setProjects({
      'team/app': { url: upstream.url, credentials: { username: 'bot', password: 'wrong-word' } },
    });
    const answer = await publish();
    expect(answer).toMatchObject({
      ok: false,
      failure: 'credentials',
      message: expect.stringContaining('Authentication failed'),
    });
    expect(answer.message).not.toContain('wrong-word');
  });

  it.each([
    [503, 'temporary'],
    [401, 'credentials'],
    [403, 'credentials'],
  ] as const)('says once what a forge that answers %i needs, and succeeds when it has it', async (status, failure) => {
    forge.failWith(status);
    const requests = forge.requests();
    expect(await publish()).toMatchObject({ ok: false, failure });
    expect(forge.requests() - requests).toBeLessThanOrEqual(2);
    forge.failWith(undefined);
    expect(await publish()).toMatchObject({ ok: true });
    expect(await onForge()).toBe(produced);
  });

  it('tells missing credentials apart, as they are while somebody replaces the Secret', async () => {
    const lookup = () => Promise.reject(new CredentialsError('Secret login does not exist', false));
    expect(await publish({}, { ...options, lookup })).toMatchObject({ ok: false, failure: 'credentials' });
  });

  it('may work later when the git host is away', async () => {
    const url = host.url;
    await host.close();
    const answer = await publish({}, { ...options, gitUrls: [url] });
    expect(answer).toMatchObject({ ok: false, failure: 'temporary' });
    host = await startGitHost(folder);
  });
});
