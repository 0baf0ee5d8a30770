import { readFileSync, writeSync } from 'node:fs';
import { CoreError } from '../errors.ts';
import { loadCore } from '../node.ts';
import { apply } from './apply.ts';
import { type Command, CommandError, UsageError } from './command.ts';
import { diff } from './diff.ts';
import { fence } from './fence.ts';
import { outline } from './outline.ts';
import { scan } from './scan.ts';
import { search } from './search.ts';
import { tests } from './tests.ts';

const commands: Record<string, Command> = { diff, apply, search, outline, scan, fence, tests };

const help = `Millwright's operations on code, on your own files.

Usage: millwright-core COMMAND [options]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`)
  .join('\n')}

millwright-core COMMAND --help says more. Ends with 0 when all is well, with 1 when there are differences or findings, no hits, or something that
did not apply, and with 2 when it cannot be done.
`;

/** Runs a command line and returns its exit code. */
export async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    if (name === undefined || name === '--help' || name === '-h') return say(help, name === undefined ? 2 : 0);
    if (!command) throw new UsageError(`there is no command "${name}": use one of ${Object.keys(commands).join(', ')}`);
    // What comes behind is no option, whatever it looks like.
    const options = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest;
    if (options.includes('--help') || options.includes('-h')) return say(command.help, 0);
    return command.run({ core: await loadCore(), cwd: process.cwd(), write, read: () => readFileSync(0) }, rest);
  } catch (error) {
    if (error instanceof UsageError) console.error(`${error.message}\n\n${command?.help ?? help}`);
    else if (error instanceof CommandError || error instanceof CoreError) console.error(error.message);
    // Such as a file that may not be read: the message says what and which.
    else if ((error as NodeJS.ErrnoException).syscall !== undefined) console.error((error as Error).message);
    else console.error(error);
    return 2;
  }
}

/** Writes at once, so that whoever reads the pipe slows the command down, and nothing is lost at its end. When nobody reads any more, only the exit code counts. */
function write(output: string | Uint8Array): void {
  const bytes = Buffer.from(output);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return;
      if (code !== 'EAGAIN') throw error;
    }
  }
}

function say(text: string, code: number): number {
  if (code === 0) write(text);
  else console.error(text);
  return code;
}
