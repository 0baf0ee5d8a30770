/** `dead-letters list | show | redrive | drop`, whichever program offers it. */
import { parseArgs } from 'node:util';
import {
  type DeadLetter,
  dropDeadLetters,
  findDeadLetter,
  listDeadLetters,
  redriveDeadLetters,
} from './dead-letters.ts';
import { messageOf } from './errors.ts';
import type { Broker } from './types.ts';

const help = `Messages that could not be read or delivered wait in millwright.dead, each with its reason.

  dead-letters list [--limit N] [--json]   the oldest N (default 50)
  dead-letters show ID [--json]            one of them with its content
  dead-letters redrive --all | ID…         put back into the queue they came from
  dead-letters drop --all | ID…            delete for good`;

/**
 * Runs one command and returns the exit code: 0 done, 1 not everything could be done, 2 not understood.
 *
 * @param argv what follows `dead-letters` on the command line
 * @param write receives each line of output, without its line break
 */
export async function deadLettersCommand(
  argv: readonly string[],
  broker: Broker,
  write: (line: string) => void = console.log,
): Promise<number> {
  const parsed = parse(argv);
  if (parsed === undefined || parsed.values.help || parsed.positionals.length === 0) {
    write(help);
    return parsed?.values.help ? 0 : 2;
  }
  const [command, ...ids] = parsed.positionals;
  const { all, json } = parsed.values;
  const limit = Number(parsed.values.limit);
  const filter = all ? ({ all: true } as const) : { ids };
  const chosen = (all === true) !== ids.length > 0;

  if (command === 'list' && ids.length === 0 && Number.isInteger(limit) && limit > 0) {
    const letters = await listDeadLetters(broker, { limit });
    if (json) write(JSON.stringify(letters, null, 2));
    else for (const line of table(letters)) write(line);
    return 0;
  }
  if (command === 'show' && ids[0] !== undefined && ids.length === 1) {
    const letter = await findDeadLetter(broker, ids[0]);
    if (!letter) {
      write(`no dead letter ${ids[0]}`);
      return 1;
    }
    for (const line of json ? [JSON.stringify(letter, null, 2)] : details(letter)) write(line);
    return 0;
  }
  if (command === 'redrive' && chosen) {
    let failed = 0;
    const count = await redriveDeadLetters(broker, filter, (letter, error) => {
      failed++;
      write(`${letter.id} stays: ${messageOf(error)}`);
    });
    write(`${count} re-driven`);
    return failed > 0 || (!all && count < ids.length) ? 1 : 0;
  }
  if (command === 'drop' && chosen) {
    const count = await dropDeadLetters(broker, filter);
    write(`${count} dropped`);
    return !all && count < ids.length ? 1 : 0;
  }
  write(help);
  return 2;
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        all: { type: 'boolean' },
        json: { type: 'boolean' },
        limit: { type: 'string', default: '50' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch {
    return undefined;
  }
}

function table(letters: readonly DeadLetter[]): string[] {
  if (letters.length === 0) return ['no dead letters'];
  const rows = letters.map((letter) => [
    letter.id,
    letter.diedAt ?? '-',
    letter.queue ?? '-',
    letter.userId ?? '-',
    letter.messageId ?? '-',
    printable(letter.reason.replaceAll('\n', '; ')).slice(0, 100),
  ]);
  const lines = [['ID', 'DIED', 'QUEUE', 'FROM', 'MESSAGE', 'REASON'], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function details(letter: DeadLetter): string[] {
  const facts: [string, unknown][] = [
    ['id', letter.id],
    ['died', letter.diedAt ?? '-'],
    ['queue', letter.queue ?? '-'],
    ['exchange', letter.exchange],
    ['routing key', letter.routingKey],
    ['from user', letter.userId ?? '-'],
    ['message id', letter.messageId ?? '-'],
    ['bytes', letter.truncated ? `${letter.bytes} (only the beginning was kept)` : letter.bytes],
    ['headers', JSON.stringify(letter.headers)],
    ['reason', letter.reason.replaceAll('\n', '; ')],
  ];
  return [
    ...facts.map(([name, value]) => `${name.padEnd(12)} ${printable(String(value))}`),
    '',
    printable(letter.content),
  ];
}

/** Dead letters are foreign data: their control characters must not reach a terminal. */
const printable = (text: string): string => text.replace(/[^\P{Cc}\t]/gu, '�');
