/**
 * The beginning of a push, read before git sees it: pkt-lines of the pack protocol (gitprotocol-pack, "Reference Update Request").
 */

/** One update that a push asks for. */
export interface PushCommand {
  oldHash: string;
  newHash: string;
  ref: string;
}

/** The body is not the beginning of a push. */
export class PushFormatError extends Error {
  override readonly name = 'PushFormatError';
}

/** A push of an attempt has one command; more than this is no push of ours. */
const MAX_COMMAND_BYTES = 64 * 1024;

const hash = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
/** Whether it is the hash that stands for "no commit": the update is a deletion. */
export const isZero = (value: string): boolean => /^0+$/.test(value);

const forbidden = new Set(['push-options', 'push-cert']);

interface ParsedCommand {
  command: PushCommand;
  capabilities: string[];
}

function parseCommand(line: string, first: boolean): ParsedCommand | undefined {
  const nul = line.indexOf('\0');
  if (nul >= 0 && !first) throw new PushFormatError('only the first command may carry capabilities');
  const words = (nul < 0 ? line : line.slice(0, nul)).replace(/\n$/, '').split(' ');
  const [oldHash, newHash, ref] = words;
  if (oldHash === 'shallow' && words.length === 2 && newHash && hash.test(newHash)) return undefined;
  if (words.length !== 3 || !oldHash || !newHash || !ref || !hash.test(oldHash) || !hash.test(newHash))
    throw new PushFormatError('the push begins with something other than "<old> <new> <ref>"');
  const capabilities =
    nul < 0
      ? []
      : line
          .slice(nul + 1)
          .trim()
          .split(' ');
  for (const capability of capabilities)
    if (forbidden.has(capability.split('=')[0] ?? '')) throw new PushFormatError(`${capability} is not supported`);
  return { command: { oldHash, newHash, ref }, capabilities };
}

/** Takes one pkt-line off `buffer`: its text (null for a flush), or undefined when more bytes are needed. */
function takeLine(buffer: Buffer): { text: string | null; size: number } | undefined {
  if (buffer.length < 4) return undefined;
  const prefix = buffer.toString('latin1', 0, 4);
  if (!/^[0-9a-fA-F]{4}$/.test(prefix)) throw new PushFormatError('the push is not made of pkt-lines');
  const size = Number.parseInt(prefix, 16);
  if (size === 0) return { text: null, size: 4 };
  if (size < 5) throw new PushFormatError('a pkt-line has an impossible length');
  if (buffer.length < size) return undefined;
  return { text: buffer.toString('utf8', 4, size), size };
}

/** The beginning of a push. */
export interface PushStart {
  commands: PushCommand[];
  /** What the client understands. */
  capabilities: string[];
  /** Every byte read so far, which may include the start of the pack. */
  read: Buffer;
}

/**
 * Reads the commands of a push up to their flush packet.
 * @param source chunks of the request's body; stays open, so that the rest can be read from it
 * Throws PushFormatError.
 */
export async function readPushCommands(source: AsyncIterator<Uint8Array>): Promise<PushStart> {
  const commands: PushCommand[] = [];
  const capabilities: string[] = [];
  let read = Buffer.alloc(0);
  let at = 0;
  for (let first = true; ; ) {
    const line = takeLine(read.subarray(at));
    if (!line) {
      // The limit is on the commands: what follows them in the same chunk is pack.
      if (read.length - at > MAX_COMMAND_BYTES || at > MAX_COMMAND_BYTES)
        throw new PushFormatError('the push has too many commands');
      const next = await source.next();
      if (next.done) throw new PushFormatError('the push ends within its commands');
      read = Buffer.concat([read, next.value]);
      continue;
    }
    at += line.size;
    if (line.text === null) return { commands, capabilities, read };
    if (at > MAX_COMMAND_BYTES) throw new PushFormatError('the push has too many commands');
    const parsed = parseCommand(line.text, first);
    if (parsed) {
      commands.push(parsed.command);
      capabilities.push(...parsed.capabilities);
      first = false;
    }
  }
}

/**
 * The answer to a push of which nothing is taken (gitprotocol-pack, "Report Status"): git shows `reason` beside each ref, and `remarks` above.
 */
export function refusePush(start: PushStart, reason: string, remarks: readonly string[] = []): Buffer {
  const refusals = start.commands.map(({ ref }) => pktLine(`ng ${ref} ${oneLine(reason)}\n`));
  const report = Buffer.concat([pktLine('unpack ok\n'), ...refusals, flush]);
  if (!takesSideBand(start)) return report;
  return Buffer.concat([remarksOf(start, remarks), sideBand(1, report), flush]);
}

/** Lines that git shows to who pushes, as those of the remote, when they come before the answer; none for a client that would not take them. */
export function remarksOf(start: PushStart, remarks: readonly string[]): Buffer {
  return Buffer.concat(takesSideBand(start) ? remarks.map((line) => sideBand(2, `${oneLine(line)}\n`)) : []);
}

const takesSideBand = ({ capabilities }: PushStart): boolean => capabilities.includes('side-band-64k');

/** One packet holds so much. */
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 4096);

/** A packet of the answer (1), or of what is shown to people (2). */
const sideBand = (band: 1 | 2, content: string | Buffer): Buffer =>
  pktLine(Buffer.concat([Buffer.from([band]), Buffer.from(content)]));

const flush = Buffer.from('0000');

/** Frames bytes as a pkt-line. */
export function pktLine(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}
