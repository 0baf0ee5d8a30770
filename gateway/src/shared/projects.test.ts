import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Kube, KubeError } from './kube.ts';
import {
  CredentialsError,
  cachedProjects,
  kubeProjects,
  ProjectError,
  type ProjectLookup,
  readForgeCredentials,
  withForgeCredentials,
} from './projects.ts';

/** A cluster with these objects, by path. */
function cluster(objects: Record<string, object | KubeError>): Kube {
  const unused = () => Promise.reject(new Error('not asked for'));
  return {
    get: async <T>(path: string) => {
      const found = objects[path] ?? new KubeError(404, 'not found');
      if (found instanceof KubeError) throw found;
      return found as T;
    },
    create: unused,
    mergePatch: unused,
    close: async () => {},
  };
}
const projectPath = '/apis/millwright.dev/v1alpha1/namespaces/team/projects/app';
const secretPath = '/api/v1/namespaces/team/secrets/login';
const url = 'https://forge.example/app.git';
const project = (credentials = true) => ({
  spec: {
    repository: { url, defaultBranch: 'main', ...(credentials ? { credentialsSecretRef: { name: 'login' } } : {}) },
  },
});
const secret = (data: Record<string, string>) => ({
  data: Object.fromEntries(
    Object.entries({ url: 'https://forge.example', ...data }).map(([key, value]) => [
      key,
      Buffer.from(value).toString('base64'),
    ]),
  ),
});

describe('Projects in the cluster', () => {
  it.each([
    ['username and password', { username: 'bot', password: 'pw\n' }, { username: 'bot', password: 'pw' }],
    ['a token', { token: 't' }, { username: 'x-access-token', password: 't' }],
  ])('come with %s of their Secret', async (_, data, credentials) => {
    const lookup = kubeProjects(cluster({ [projectPath]: project(), [secretPath]: secret(data) }), 'read');
    expect(await lookup('team', 'app')).toEqual({ url, defaultBranch: 'main', credentials });
  });

  it.each(['https://forge.example/', 'https://forge.example/app', url])(
    'come with a Secret for %s',
    async (address) => {
      const objects = { [projectPath]: project(), [secretPath]: secret({ url: address, token: 't' }) };
      expect((await kubeProjects(cluster(objects), 'read')('team', 'app')).credentials?.password).toBe('t');
    },
  );

  it('have one Secret to read and another to push', async () => {
    const repository = { url, defaultBranch: 'main', pushSecretRef: { name: 'login' } };
    const objects = { [projectPath]: { spec: { repository } }, [secretPath]: secret({ token: 't' }) };
    expect((await kubeProjects(cluster(objects), 'push')('team', 'app')).credentials).toBeDefined();
    expect((await kubeProjects(cluster(objects), 'read')('team', 'app')).credentials).toBeUndefined();
  });

  it('come without a Secret when they name none', async () => {
    expect(await kubeProjects(cluster({ [projectPath]: project(false) }), 'read')('team', 'app')).toEqual({
      url,
      defaultBranch: 'main',
    });
  });

  const broken: [string, Record<string, object | KubeError>, boolean, RegExp][] = [
    ['no Project', {}, false, /^Project team\/app does not exist$/],
    [
      'no Secret',
      { [projectPath]: project() },
      false,
      /^Secret login, named by Project team\/app .* does not exist; create it, or correct the name$/,
    ],
    [
      'a Secret without a password',
      { [projectPath]: project(), [secretPath]: secret({ username: 'bot' }) },
      false,
      /neither password nor token/,
    ],
    [
      'a Secret that does not say what it is for',
      { [projectPath]: project(), [secretPath]: secret({ url: '', token: 't' }) },
      false,
      /add the key url/,
    ],
    ...[
      'https://forge.example.org',
      'https://forge.example/other',
      'https://forge.example/ap',
      'http://forge.example',
    ].map((address): [string, Record<string, object>, boolean, RegExp] => [
      `a Secret for ${address}`,
      { [projectPath]: project(), [secretPath]: secret({ url: address, token: 't' }) },
      false,
      /is for .* only, and the repository is not below it/,
    ]),
    ['no right', { [projectPath]: new KubeError(403, 'forbidden') }, true, /may not be read/],
    ['no API server', { [projectPath]: new KubeError(0, 'away') }, true, /cannot be read: away/],
  ];
  it.each(broken)('%s is said', async (_, objects, temporary, message) => {
    const failure = kubeProjects(cluster(objects), 'read')('team', 'app');
    await expect(failure).rejects.toBeInstanceOf(ProjectError);
    await expect(failure).rejects.toMatchObject({ temporary, message: expect.stringMatching(message) });
  });
});

it.each([
  ['is missing', {}],
  ['is incomplete', { [secretPath]: secret({ username: 'bot' }) }],
])('a Secret that %s is told apart from a Project that is wrong', async (_, objects) => {
  const failure = kubeProjects(cluster({ [projectPath]: project(), ...objects }), 'read')('team', 'app');
  await expect(failure).rejects.toBeInstanceOf(CredentialsError);
});

describe('a cache of Projects', () => {
  let now: number;
  let asked: number;
  let answer: () => Promise<{ url: string; defaultBranch: string }>;
  let lookup: ProjectLookup;
  beforeEach(() => {
    now = 0;
    asked = 0;
    answer = async () => ({ url: `u${asked}`, defaultBranch: 'main' });
    lookup = cachedProjects(
      () => {
        asked += 1;
        return answer();
      },
      5_000,
      () => now,
    );
  });

  it('asks once for many, and again when it is no longer fresh', async () => {
    await Promise.all([lookup('a', 'b'), lookup('a', 'b'), lookup('a', 'c')]);
    expect(asked).toBe(2);
    now = 5_000;
    expect((await lookup('a', 'b')).url).toBe('u3');
  });

  it('goes on with what it knew while the API server is away, for an hour', async () => {
    await lookup('a', 'b');
    answer = () => Promise.reject(new ProjectError('away', true));
    now = 59 * 60_000;
    expect((await lookup('a', 'b')).url).toBe('u1');
    now = 61 * 60_000;
    await expect(lookup('a', 'b')).rejects.toThrow('away');
  });

  it('does not go on when the Project is gone', async () => {
    await lookup('a', 'b');
    answer = () => Promise.reject(new ProjectError('gone', false));
    now = 6_000;
    await expect(lookup('a', 'b')).rejects.toThrow('gone');
    await expect(lookup('a', 'b')).rejects.toThrow('gone');
  });
});

describe('credentials of forges', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millwright-credentials-'));
    file = join(folder, 'credentials');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are used by host and scheme where a Project has none', async () => {
    await writeFile(file, '# forges\nhttps://bot:p%40ss@forge.example\n\n');
    const given = (address: string, own?: object) =>
      withForgeCredentials(
        async () => ({ url: address, defaultBranch: 'main', ...(own ? { credentials: own as never } : {}) }),
        file,
      )('a', 'b');
    expect((await given(url)).credentials).toEqual({ username: 'bot', password: 'p@ss' });
    expect((await given('https://other.example/app.git')).credentials).toBeUndefined();
    expect((await given('http://forge.example/app.git')).credentials).toBeUndefined();
    expect((await given('git://forge.example/app.git')).credentials).toBeUndefined();
    expect((await given(url, { username: 'own', password: 'own' })).credentials).toEqual({
      username: 'own',
      password: 'own',
    });
  });

  it('are used below their path and for their namespaces only, the longest path first', async () => {
    await writeFile(
      file,
      [
        'https://a:1@forge.example/team-a#a',
        'https://b:2@forge.example/team-b/#b,c',
        'https://d:3@forge.example/team-b/deep.git#b',
        'https://all:4@open.example',
      ].join('\n'),
    );
    const user = async (namespace: string, address: string) =>
      (await withForgeCredentials(async () => ({ url: address, defaultBranch: 'main' }), file)(namespace, 'p'))
        .credentials?.username;
    expect(await user('a', 'https://forge.example/team-a/x.git')).toBe('a');
    expect(await user('b', 'https://forge.example/team-a/x.git')).toBeUndefined();
    expect(await user('a', 'https://forge.example/team-abc/x.git')).toBeUndefined();
    expect(await user('a', 'https://forge.example/team-a/../team-b/x.git')).toBeUndefined();
    expect(await user('c', 'https://forge.example/team-b/deep.git')).toBe('b');
    expect(await user('b', 'https://forge.example/team-b/deep.git')).toBe('d');
    expect(await user('z', 'https://open.example/x.git')).toBe('all');
  });

  it('say which line is wrong without saying what is in it', async () => {
    await writeFile(file, 'https://bot:x@forge.example\ns3cret\n');
    await expect(readForgeCredentials(file)).rejects.toThrow(/line 2 is not a URL/);
    await expect(readForgeCredentials(file)).rejects.not.toThrow(/s3cret/);
  });
});
