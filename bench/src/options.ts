import { parseArgs } from 'node:util';

/** `core` works without the local platform, the others with it. */
export const groupNames = [
  'core',
  'dispatch',
  'throughput',
  'burst',
  'tracing',
  'warm-claim',
  'memory',
  'peers',
] as const;
export type GroupName = (typeof groupNames)[number];

export interface BenchOptions {
  groups: readonly GroupName[];
  rounds: number;
  minutes: number;
  size: number;
  profile: boolean;
  output: string | undefined;
}

export const help = `Measures Millwright against its floor, and its operations on code against the usual tools, in the same run.

Usage: npm run bench [-- options]

  --only NAME     ${groupNames.slice(0, -1).join(', ')} or ${groupNames.at(-1)}; may be given several times
  --peers         also run Temporal, which takes minutes to build the first time; replaces burst, since peers has it in pairs
  --rounds N      repetitions of each measure (default 3)
  --minutes N     of load in which memory must not grow (default 3; the target speaks of 30)
  --size N        fraction of every count, for trying things out (default 1); such figures say nothing
  --profile       writes a CPU profile of each operator, or of core, and prints where its time went; costs some speed
  --output FILE   one JSON line per measure (default .local/bench.jsonl)
  --help

The floor is a bare script that makes the same API writes and publishes the same messages and decides nothing. The machine should have
nothing else to do; operators that are installed on the local platform are paused meanwhile. core alone needs no platform. bench/README.md
says what each figure means.
Ends with 0 when every target was met, 1 when not, 2 when the arguments are wrong.
`;

/** Arguments that mean nothing, with the remedy. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Parses the command line; 'help' when it asks for that. Throws a UsageError that says what to write instead. */
export function parseOptions(args: readonly string[]): BenchOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const only = values.only ?? [];
  const unknown = only.find((name) => !isGroup(name));
  if (unknown !== undefined)
    throw new UsageError(`there is no measure "${unknown}": --only takes one of ${groupNames.join(', ')}`);
  const chosen = only.filter(isGroup);
  const groups = chosen.length > 0 ? chosen : groupNames.filter((name) => name !== (values.peers ? 'burst' : 'peers'));
  return {
    groups: values.peers && !groups.includes('peers') ? [...groups, 'peers'] : groups,
    rounds: number('--rounds', values.rounds, 'a whole number from 1', (n) => Number.isInteger(n) && n >= 1),
    minutes: number('--minutes', values.minutes, 'a number of minutes from 0.1', (n) => n >= 0.1),
    size: number('--size', values.size, 'a number above 0 and up to 1', (n) => n > 0 && n <= 1),
    profile: values.profile === true,
    output: values.output,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        only: { type: 'string', multiple: true },
        peers: { type: 'boolean' },
        rounds: { type: 'string', default: '3' },
        minutes: { type: 'string', default: '3' },
        size: { type: 'string', default: '1' },
        profile: { type: 'boolean' },
        output: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

const isGroup = (name: string): name is GroupName => (groupNames as readonly string[]).includes(name);

function number(option: string, text: string, what: string, isValid: (value: number) => boolean): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || !isValid(value)) throw new UsageError(`${option} takes ${what}, not "${text}"`);
  return value;
}
