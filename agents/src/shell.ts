/** Runs the commands of one attempt in the workspace: logged, ended by interruptions, never beyond the deadline. */
import { reasons } from '@millwright/crds';
import { FailedError, InterruptedError } from './errors.ts';
import type { AttemptLog } from './log.ts';
import { lastWords, readable } from './tail.ts';
import { type Workspace, WorkspaceError } from './workspace/client.ts';
import type { ExecResult } from './workspace/protocol.ts';

interface Command {
  run: { argv: readonly string[] } | { script: string };
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  stdin?: string;
  /** Whether the command's output goes to the log (the default) or only to the caller. */
  quiet?: boolean;
}

export interface Finished {
  /** 128 + the signal's number when a signal ended it, as shells say; 127 when it could not be started. */
  exitCode: number;
  /** Last part of what it printed, readable; why it could not start where it did not. */
  tail: string;
  /** Standard output of quiet commands. */
  stdout: string;
  /** Why it could not start, or which limit ended it. */
  problem: string | undefined;
}

export interface Shell {
  /**
   * Runs a command to its end; a non-zero exit code is no error here.
   * @throws InterruptedError, WorkspaceLostError
   */
  run(command: Command): Promise<Finished>;
}

export interface ShellOptions {
  workspace: Workspace;
  log: AttemptLog;
  /** Aborted with an InterruptedError. */
  signal: AbortSignal;
  /** Milliseconds since the epoch. */
  deadline: number;
  /** Between TERM and KILL. */
  killGraceMs: number;
}

/** What is forwarded of one command's output. */
const OUTPUT_BYTES = 8 * 1024 * 1024;
const NOT_STARTED = 127;

export function createShell(options: ShellOptions): Shell {
  const { workspace, log, signal, deadline, killGraceMs } = options;
  return {
    async run({ run, cwd = '', env = {}, stdin, quiet = false }) {
      signal.throwIfAborted();
      const commandLog = quiet ? undefined : log.command();
      const captured: Buffer[] = [];
      const everything: Buffer[] = [];
      let result: ExecResult;
      try {
        result = await workspace.exec({
          command: run,
          cwd,
          env,
          ...(stdin === undefined ? {} : { stdin }),
          timeoutMs: Math.max(1, deadline - Date.now()),
          outputBytes: quiet ? 256 * 1024 : OUTPUT_BYTES,
          killGraceMs,
          signal,
          onOutput(stream, chunk, omitted) {
            commandLog?.output(stream, chunk, omitted);
            if (!quiet) return;
            everything.push(chunk);
            if (stream === 'stdout') captured.push(chunk);
          },
        });
      } catch (error) {
        if (!(error instanceof WorkspaceError)) throw error;
        commandLog?.end();
        if (error.code !== 'spawnFailed') {
          log.system(error.message);
          throw broken(error);
        }
        const why = `${error.message.slice(0, 600)}${'argv' in run ? remedyOf(run.argv) : ''}`;
        log.system(why);
        return { exitCode: NOT_STARTED, tail: why, stdout: '', problem: `cannot be started: ${why}` };
      }
      const tail = commandLog?.end() ?? readable(Buffer.concat(everything).toString('utf8').slice(-4096));
      signal.throwIfAborted();
      if (result.cause === 'timedOut') throw new InterruptedError('deadline', 'the time limit has passed');
      return {
        exitCode: result.code ?? 128 + (result.signal ?? 0),
        tail,
        stdout: Buffer.concat(captured).toString('utf8'),
        problem: problems[result.cause],
      };
    },
  };
}

const problems: Record<ExecResult['cause'], string | undefined> = {
  exited: undefined,
  timedOut: undefined,
  killed: undefined,
  tooManyProcesses: 'was ended because it started too many processes',
  memoryExceeded: "was ended because it needed more than the workspace's memory limit",
};

/** A program may have such a name; where there is none of that name, somebody has meant a shell. */
const SHELL_SYNTAX = /[\s|&;<>()$`"'*]/;
const MAX_LINE = 120;

/** What shells do themselves, in words that people begin a command with. */
const BUILTINS = new Set(['.', 'cd', 'eval', 'exec', 'export', 'set', 'source', 'ulimit', 'umask', 'unset']);

/** What to write instead when the first string is no program but a command line, or something that only a shell does. */
function remedyOf(argv: readonly string[]): string {
  const program = argv[0] ?? '';
  const isBuiltin = BUILTINS.has(program);
  if (!isBuiltin && !SHELL_SYNTAX.test(program)) return '';
  const line = argv.join(' ');
  const instead = `use ["sh", "-c", ${JSON.stringify(line.length > MAX_LINE ? '…' : line)}]`;
  return isBuiltin ? `; ${program} is a command of the shell: ${instead}` : `; one string is one program: ${instead}`;
}

/** The workspace does not do what it always can: its folder is full, or gone. */
function broken(error: WorkspaceError): FailedError {
  return new FailedError({
    class: 'infrastructure',
    reason: reasons.SandboxLost,
    message: `the workspace refused a command: ${error.code}: ${error.message}`,
  });
}

/** Whether a command did what it should. */
export const succeeded = (finished: Finished): boolean => finished.exitCode === 0 && finished.problem === undefined;

/** Of a description that has a shell line in it, so that there is room for what the command said. */
const MAX_DESCRIPTION = 400;

/** How a command ended and what it said last, for people: in one line, within the limit of a result's message. */
export function describeEnd(what: string, { exitCode, problem, tail }: Finished): string {
  const shown = what.length > MAX_DESCRIPTION ? `${what.slice(0, MAX_DESCRIPTION)}…` : what;
  // What could not start has printed nothing: why is all there is to say.
  const words = problem?.endsWith(tail) ? '' : lastWords(tail);
  const end = `${shown} ${problem ?? `ended with exit code ${exitCode}`}${words === '' ? '' : `: ${words}`}`;
  return end.slice(0, 1024).toWellFormed();
}
