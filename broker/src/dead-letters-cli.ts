/** `dead-letters list | show | redrive | drop`, whichever program offers it. */
import { parseArgs } from 'node:util';
import { connect } from './broker.ts';
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

/** A command whose broker does not answer should say so while somebody watches. */
const CONNECT_MS = 10_000;

type Write = (line: string) => void;
/** Does what was asked for; returns the exit code. */
type Work = (broker: Broker, write: Write) => Promise<number>;

/**
 * Runs one command and returns the exit code: 0 done, 1 not everything could be done, 2 not understood.
 *
 * @param argv what follows `dead-letters` on the command line
 * @param url says where the broker is; asked only when one is needed
 * @param write receives each line of output, without its line break
 * @throws BrokerError when the broker does not answer within 10 s, or refuses
 */
export async function deadLettersCommand(
  argv: readonly string[],
  url: () => string,
  write: Write = console.log,
): Promise<number> {
  const parsed = parse(argv);
  const work = parsed && !parsed.values.help ? workOf(parsed) : undefined;
  if (!work) {
    write(help);
    return parsed?.values.help ? 0 : 2;
  }
  const broker = await connect({ url: url(), name: 'dead-letters', topology: 'declare', recoverForMs: CONNECT_MS });
  try {
    return await work(broker, write);
  } finally {
    await broker.close();
  }
}

function workOf({ positionals, values }: NonNullable<ReturnType<typeof parse>>): Work | undefined {
  const [command, ...ids] = positionals;
  const { all, json } = values;
  const limit = Number(values.limit);
  const filter = all ? ({ all: true } as const) : { ids };
  const chosen = (all === true) !== ids.length > 0;
  const complete = (count: number) => all === true || count >= ids.length;
  const [id] = ids;

  if (command === 'list' && ids.length === 0 && Number.isInteger(limit) && limit > 0)
    return async (broker, write) => {
      const letters = await listDeadLetters(broker, { limit });
      for (const line of json ? [JSON.stringify(letters, null, 2)] : table(letters)) write(line);
      return 0;
    };
  if (command === 'show' && id !== undefined && ids.length === 1)
    return async (broker, write) => {
      const letter = await findDeadLetter(broker, id);
      if (!letter) {
        write(`no dead letter ${id}`);
        return 1;
      }
      for (const line of json ? [JSON.stringify(letter, null, 2)] : details(letter)) write(line);
      return 0;
    };
  if (command === 'redrive' && chosen)
    return async (broker, write) => {
      let failed = 0;
      const count = await redriveDeadLetters(broker, filter, (letter, error) => {
        failed++;
        write(`${letter.id} stays: ${messageOf(error)}`);
      });
      write(`${count} re-driven`);
      return failed === 0 && complete(count) ? 0 : 1;
    };
  if (command === 'drop' && chosen)
    return async (broker, write) => {
      const count = await dropDeadLetters(broker, filter);
      write(`${count} dropped`);
      return complete(count) ? 0 : 1;
    };
  return undefined;
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
