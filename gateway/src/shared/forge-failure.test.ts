import { describe, expect, it } from 'vitest';
import { forgeFailure } from './forge-failure.ts';
import { GitError, redact } from './git-command.ts';

/** What git 2.39 says, as it was seen. */
const cases: [string, string, boolean][] = [
  ['a wrong password', "fatal: Authentication failed for 'https://forge/x.git/'", false],
  ['no password', "fatal: could not read Username for 'https://forge': terminal prompts disabled", false],
  ['no such repository, over HTTP', "fatal: repository 'https://forge/x.git/' not found", false],
  ['no such repository, over git://', 'fatal: remote error: access denied or repository not exported: /x.git', false],
  ['no such repository, over ssh', "fatal: '/x.git' does not appear to be a git repository", false],
  [
    'a push that is not allowed',
    "fatal: unable to access 'https://forge/': The requested URL returned error: 403",
    false,
  ],
  ['a hook that declines', ' ! [remote rejected] HEAD -> b (pre-receive hook declined)', false],
  ['a protected branch', 'remote: error: GH006: Protected branch update failed for refs/heads/b.', false],
  ['a scheme that is not allowed', "fatal: transport 'file' not allowed", false],
  ['a forge that is ill', "fatal: unable to access 'https://forge/': The requested URL returned error: 503", true],
  ['a forge that limits', "fatal: unable to access 'https://forge/': The requested URL returned error: 429", true],
  ['no name', "fatal: unable to access 'https://forge/': Could not resolve host: forge", true],
  ['no connection', 'fatal: unable to connect to forge: forge[0: 10.0.0.1]: errno=Connection refused', true],
  ['a cut connection', 'fatal: the remote end hung up unexpectedly', true],
  ['nothing', '', true],
];

describe('a failed git command', () => {
  it.each(cases)('%s: whether trying again can help', (_, said, retryable) => {
    expect(forgeFailure(new GitError('fetch', 128, said, '', false)).retryable).toBe(retryable);
  });

  it('gives the reason without progress, and no more than a message holds', () => {
    const said = `Enumerating objects: 5\nTo https://forge/x.git\nremote: we do not like this\nhint: try harder\n${'x'.repeat(2000)}`;
    const { message } = forgeFailure(new GitError('push', 1, said, '', false));
    expect(message).toMatch(/^remote: we do not like this; x+…$/);
    expect(message.length).toBeLessThanOrEqual(900);
  });

  it('says that it took too long', () => {
    expect(forgeFailure(new GitError('fetch', null, '', '', true))).toEqual({
      retryable: true,
      message: 'the forge did not answer in time',
    });
  });
});

it.each([
  ['https://bot:s3cret@forge/x.git', 'https://***@forge/x.git'],
  ["access 'https://token@forge/' and ssh://git@host/x", "access 'https://***@forge/' and ssh://***@host/x"],
  ['mail to ada@example.com about https://forge/@ada', 'mail to ada@example.com about https://forge/@ada'],
])('takes credentials out of %s', (text, expected) => {
  expect(redact(text)).toBe(expected);
});
