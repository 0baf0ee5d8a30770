import { describe, expect, it } from 'vitest';
import { type ForgeFailureKind, forgeFailure } from './forge-failure.ts';
import { GitError } from './git-command.ts';

/** What git 2.39 says, as it was seen; what forges say, from their users' reports. */
const cases: [string, string, ForgeFailureKind][] = [
  ['a wrong password', "fatal: Authentication failed for 'https://forge/x.git/'", 'credentials'],
  ['no password', "fatal: could not read Username for 'https://forge': terminal prompts disabled", 'credentials'],
  ['no such repository, over HTTP', "fatal: repository 'https://forge/x.git/' not found", 'notFound'],
  [
    'no such repository, over git://',
    'fatal: remote error: access denied or repository not exported: /x.git',
    'notFound',
  ],
  ['no such repository, over git:// with its reason', 'fatal: remote error: no such repository: /x.git', 'notFound'],
  ['no such folder', "fatal: '/x.git' does not appear to be a git repository", 'notFound'],
  ['no git at all', 'fatal: https://forge/info/refs not valid: is this a git repository?', 'unsupported'],
  ['a scheme that is not allowed', "fatal: transport 'file' not allowed", 'unsupported'],
  [
    'a push that is not allowed',
    "remote: Permission to acme/x.git denied to bot.\nfatal: unable to access 'https://forge/': The requested URL returned error: 403",
    'forbidden',
  ],
  ['a hook that declines', ' ! [remote rejected] HEAD -> b (pre-receive hook declined)', 'refused'],
  ['an update hook that declines', ' ! [remote rejected] HEAD -> b (hook declined)', 'refused'],
  ['a protected branch', 'remote: error: GH006: Protected branch update failed for refs/heads/b.', 'refused'],
  [
    'a protected branch, in other words',
    'remote: GitLab: You are not allowed to push code to protected branches on this project.\n!\tabc:refs/heads/b\t[remote rejected] (pre-receive hook declined)',
    'refused',
  ],
  [
    'a rule set',
    'remote: error: GH013: Repository rule violations found for refs/heads/b.\n!\tabc:refs/heads/b\t[remote rejected] (push declined due to repository rule violations)',
    'refused',
  ],
  [
    'a workflow file without the right to change it',
    '!\tabc:refs/heads/b\t[remote rejected] (refusing to allow a GitHub App to create or update workflow `.github/workflows/a.yml` without `workflows` permission)',
    'refused',
  ],
  ['a rule that nobody has heard of', '!\tabc:refs/heads/b\t[remote rejected] (TF402455: not permitted)', 'refused'],
  ['rewriting that is not allowed', '!\tabc:refs/heads/b\t[remote rejected] (non-fast-forward)', 'refused'],
  [
    'a branch in the way',
    "remote: error: cannot lock ref 'refs/heads/a/b': 'refs/heads/a' exists; cannot create 'refs/heads/a/b'\n!\tabc:refs/heads/a/b\t[remote rejected] (failed to update ref)",
    'occupied',
  ],
  [
    'a pack too large',
    'remote: fatal: pack exceeds maximum allowed size\n!\tabc:refs/heads/b\t[remote rejected] (unpacker error)',
    'tooLarge',
  ],
  ['a body too large', 'error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413', 'tooLarge'],
  ['a broken object', 'remote: fatal: fsck error in packed object', 'damaged'],
  ['a branch that moved', '!\tabc:refs/heads/b\t[rejected] (stale info)', 'moved'],
  ['a branch that moves', '!\tabc:refs/heads/b\t[remote rejected] (failed to update ref)', 'moved'],
  [
    'a forge that is ill behind its hook',
    'remote: Gitea: Internal Server Error\n!\tabc:refs/heads/b\t[remote rejected] (pre-receive hook declined)',
    'temporary',
  ],
  [
    'a forge that cannot store a ref',
    'remote: fatal error in commit_refs\n!\tabc:refs/heads/b\t[remote rejected] (failure)',
    'temporary',
  ],
  [
    'a forge whose disk is full',
    'remote: fatal: write error: No space left on device\n!\tabc:refs/heads/b\t[remote rejected] (unpacker error)',
    'temporary',
  ],
  ['a forge that says nothing of the branch', '!\ta:b\t[remote failure] (remote failed to report status)', 'temporary'],
  [
    'a forge that is ill',
    "fatal: unable to access 'https://forge/': The requested URL returned error: 503",
    'temporary',
  ],
  [
    'a forge that limits',
    "fatal: unable to access 'https://forge/': The requested URL returned error: 429",
    'temporary',
  ],
  [
    'a forge that limits with the status of a refusal',
    "remote: You have exceeded a secondary rate limit.\nfatal: unable to access 'https://forge/': The requested URL returned error: 403",
    'temporary',
  ],
  ['no name', "fatal: unable to access 'https://forge/': Could not resolve host: forge", 'unknownHost'],
  ['no name, over git://', 'fatal: unable to look up forge (port 9418) (Name or service not known)', 'unknownHost'],
  ['no connection', 'fatal: unable to connect to forge: forge[0: 10.0.0.1]: errno=Connection refused', 'temporary'],
  ['a cut connection', 'fatal: the remote end hung up unexpectedly', 'temporary'],
  ['nothing', '', 'temporary'],
];

describe('a failed git command', () => {
  it.each(cases)('%s', (_, said, kind) => {
    const failure = forgeFailure(new GitError('push', 128, said, '', false));
    expect(failure.kind).toBe(kind);
    expect(failure.retryable).toBe(['temporary', 'moved', 'unknownHost'].includes(kind));
    expect(failure.message).toMatch(
      ['temporary', 'moved'].includes(kind) ? /./ : /: (set|give|correct|use|repair|let|delete|have) /,
    );
    expect(failure.message.length).toBeLessThanOrEqual(1024);
  });

  it('gives the reason without progress, and no more than a message holds', () => {
    const said = `Enumerating objects: 5\nTo https://forge/x.git\nremote: we do not like this\nhint: try harder\n${'x'.repeat(2000)}`;
    const { message } = forgeFailure(new GitError('push', 1, said, '', false));
    expect(message).toMatch(/^remote: we do not like this; x+…$/);
    expect(message.length).toBeLessThanOrEqual(900);
  });

  it('says that it took too long', () => {
    expect(forgeFailure(new GitError('fetch', null, '', '', true))).toEqual({
      kind: 'temporary',
      retryable: true,
      words: 'the forge did not answer in time',
      message: 'the forge did not answer in time',
    });
  });
});
