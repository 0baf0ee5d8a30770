import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createFence } from '../fence/fence.ts';
import { ProjectError, type ProjectSource } from '../shared/projects.ts';
import { type Forge, startForge } from '../testing/forge.ts';
import { recordingLog } from '../testing/git-host.ts';
import { probeRepository } from './probe.ts';

// Each is a git program, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let forge: Forge;
let good: ProjectSource;
const fence = createFence();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millwright-probe-'));
  forge = await startForge(join(folder, 'forge'));
  const { url } = await forge.repository('app');
  good = { url, defaultBranch: 'main', credentials: forge.credentials };
});
afterAll(async () => {
  await fence.close();
  await forge.close();
  await rm(folder, { recursive: true, force: true });
});

const probe = (lookup: () => Promise<ProjectSource>) =>
  probeRepository({ namespace: 'team', project: 'app' }, lookup, fence, recordingLog().log);
const without = ({ credentials: _, ...source }: ProjectSource): ProjectSource => source;

const cases: [string, () => ProjectSource, string, string, RegExp][] = [
  ['a good one', () => good, 'True', 'Reachable', /^$/],
  [
    'no credentials',
    () => without(good),
    'False',
    'CredentialsRefused',
    /^spec\.repository\.url of Project app: .*is not shown without credentials \(could not read Username.*; correct it, or .*credentialsSecretRef$/,
  ],
  [
    'wrong credentials',
    () => ({ ...good, credentials: { username: 'bot', password: 'wrong-word' } }),
    'False',
    'CredentialsRefused',
    /credentials are not taken \(Authentication failed.*; set spec\.repository\.credentialsSecretRef/,
  ],
  [
    'a wrong URL',
    () => ({ ...good, url: `${forge.url}/gone.git` }),
    'False',
    'RepositoryNotFound',
    /^spec\.repository\.url of Project app: no such repository: http:\/\/127\.0\.0\.1:\d+\/gone\.git; correct it, or give the Project's credentials access to it$/,
  ],
  [
    'an unknown host',
    () => ({ ...good, url: 'http://no-such-host.invalid/x.git' }),
    'False',
    'UnknownHost',
    /the host of .*no-such-host\.invalid.* is not known .*; correct it, or the name server$/,
  ],
  [
    'no such branch',
    () => ({ ...good, defaultBranch: 'trunk' }),
    'False',
    'BranchNotFound',
    /^spec\.repository\.defaultBranch of Project app: .* has no branch "trunk"; correct it, or push the branch$/,
  ],
  ['a branch by pattern', () => ({ ...good, defaultBranch: 'm*' }), 'False', 'BranchNotFound', /has no branch "m\*"/],
  [
    'ssh',
    () => ({ ...good, url: 'ssh://git@127.0.0.1/app.git' }),
    'False',
    'RepositoryUnusable',
    /https:\/\/ clone URL/,
  ],
  [
    'a glob of its policy that is wrong',
    () => ({ ...good, policy: { paths: { deny: ['src/**', 'src/[a'] } } }),
    'False',
    'PolicyInvalid',
    /^spec\.policy\.paths of the Project is wrong: deny, .*/,
  ],
  ['a policy', () => ({ ...good, policy: { paths: { deny: ['infra/**'] } } }), 'True', 'Reachable', /^$/],
  ['a scheme of its own', () => ({ ...good, url: 'ext::sh' }), 'False', 'RepositoryUnusable', /https:\/\/ clone URL/],
];
it.each(cases)('%s', async (_, source, status, reason, message) => {
  const answer = await probe(async () => source());
  expect(answer).toEqual({ type: 'probed', status, reason, message: expect.stringMatching(message) });
  expect(answer.message).not.toContain('wrong-word');
});

it('a forge that is ill', async () => {
  forge.failWith(503);
  expect(await probe(async () => good)).toMatchObject({ status: 'False', reason: 'RepositoryUnavailable' });
  forge.failWith(undefined);
});

it.each([
  ['a Secret that is not there', new ProjectError('Secret x does not exist', false), 'False', 'CredentialsMissing'],
  ['no API server', new ProjectError('Project team/app cannot be read', true), 'Unknown', 'NotProbed'],
  ['a damaged file', new Error('line 1 is not a URL'), 'Unknown', 'NotProbed'],
])('%s', async (_, error, status, reason) => {
  expect(await probe(() => Promise.reject(error))).toMatchObject({ status, reason });
});
