import { loadCore } from '@millwright/native-wasm';
import { describe, expect, it } from 'vitest';
import { createAttemptLog } from './log.ts';
import { createRedaction } from './redaction.ts';
import { createShell, describeEnd } from './shell.ts';
import { type Workspace, WorkspaceError } from './workspace/client.ts';

const core = await loadCore();

describe('describeEnd', () => {
  const finished = { exitCode: 9, tail: '', stdout: '', problem: undefined };
  it('says the exit code, or what was in the way, and the last words', () => {
    expect(describeEnd('it', finished)).toBe('it ended with exit code 9');
    expect(describeEnd('it', { ...finished, problem: 'was ended' })).toBe('it was ended');
    expect(describeEnd('it', { ...finished, tail: 'why', problem: 'cannot be started: why' })).toBe(
      'it cannot be started: why',
    );
    expect(describeEnd('it', { ...finished, tail: 'ok\nFAIL x\n' })).toBe('it ended with exit code 9: ok | FAIL x');
  });

  it('keeps within the limit of a message, with room for the last words', () => {
    const message = describeEnd('x'.repeat(5_000), { ...finished, tail: `${'y'.repeat(5_000)} the cause` });
    expect(message.length).toBeLessThanOrEqual(1024);
    expect(message).toMatch(/^x+… ended with exit code 9: y+ the cause$/);
  });
});

describe('a program that cannot be started', () => {
  const workspace: Pick<Workspace, 'exec'> = {
    exec: ({ command }) => {
      const [program] = 'argv' in command ? command.argv : ['/bin/sh'];
      return Promise.reject(new WorkspaceError('spawnFailed', `${program}: No such file or directory`));
    },
  };
  const shell = createShell({
    workspace: workspace as Workspace,
    log: createAttemptLog({ publish: async () => {}, redaction: createRedaction(core, []) }),
    signal: new AbortController().signal,
    deadline: Date.now() + 60_000,
    killGraceMs: 0,
  });
  it.each([
    ['a name', ['nothing', 'a b'], 'nothing: No such file or directory'],
    [
      'a command line',
      ['echo hi > x'],
      'echo hi > x: No such file or directory; one string is one program: use ["sh", "-c", "echo hi > x"]',
    ],
    [
      'a command line with arguments',
      ['go test', './...'],
      'go test: No such file or directory; one string is one program: use ["sh", "-c", "go test ./..."]',
    ],
    [
      'a command of the shell',
      ['cd', 'sql'],
      'cd: No such file or directory; cd is a command of the shell: use ["sh", "-c", "cd sql"]',
    ],
    ['a long command line', [`echo ${'x'.repeat(5_000)}`], /; one string is one program: use \["sh", "-c", "…"\]$/],
  ])('is called by %s', async (_, argv, why) => {
    const finished = await shell.run({ run: { argv } });
    expect(finished.exitCode).toBe(127);
    expect(describeEnd('the command', finished)).toMatch(why);
    if (typeof why === 'string') expect(finished.problem).toBe(`cannot be started: ${why}`);
  });

  it('is none of a shell line', async () => {
    expect((await shell.run({ run: { script: 'echo hi > x' } })).problem).not.toContain('one string');
  });
});
