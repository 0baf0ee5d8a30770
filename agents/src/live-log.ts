/** Output as events while it is produced: in batches, bounded in size, rate and memory. Whatever is left out is said. */
import { StringDecoder } from 'node:string_decoder';

export type LogStream = 'stdout' | 'stderr' | 'system';

export interface LiveLogOptions {
  /** Publishes one event; batches go out in order. A rejection loses that batch, nothing else. */
  publish: (stream: LogStream, text: string) => Promise<void>;
  /** Milliseconds since any fixed moment. */
  now?: () => number;
  /** Batching interval. */
  flushMs?: number;
  /** Sustained rate, in characters per second, and how much may come at once. */
  rate?: number;
  burst?: number;
}

export interface LiveLog {
  write(stream: LogStream, text: string): void;
  /** Sends the rest; resolves when it is confirmed, or after `limitMs`. */
  close(limitMs: number): Promise<void>;
}

/** JSON of one event's text: with the other fields a message stays well under 64 KiB. */
const MAX_JSON_BYTES = 48 * 1024;
const MAX_CHARACTERS = 16 * 1024;
const MAX_IN_FLIGHT = 16;

export function createLiveLog(options: LiveLogOptions): LiveLog {
  const { publish, now = () => performance.now(), flushMs = 250, rate = 64 * 1024, burst = 512 * 1024 } = options;
  let pending: { stream: LogStream; text: string }[] = [];
  let allowance = burst;
  let countedAt = now();
  let leftOut = 0;
  const inFlight = new Set<Promise<void>>();
  const timer = setInterval(flush, flushMs);
  timer.unref();

  function write(stream: LogStream, text: string): void {
    if (text === '') return;
    refill();
    // Memory is bounded by the same allowance: what is pending was paid for.
    if (text.length > allowance) {
      leftOut += text.length;
      return;
    }
    announceGap();
    allowance -= text.length;
    const last = pending.at(-1);
    if (last?.stream === stream) last.text += text;
    else pending.push({ stream, text });
    if (pending.reduce((sum, part) => sum + part.text.length, 0) >= MAX_CHARACTERS) flush();
  }

  function refill(): void {
    const at = now();
    allowance = Math.min(burst, allowance + ((at - countedAt) / 1000) * rate);
    countedAt = at;
  }

  function announceGap(): void {
    if (leftOut === 0) return;
    pending.push({
      stream: 'system',
      text: `… ${leftOut} characters came too fast to be shown live; the stored log has them …\n`,
    });
    leftOut = 0;
  }

  function flush(): void {
    while (pending.length > 0 && inFlight.size < MAX_IN_FLIGHT) {
      const part = pending[0];
      if (part === undefined) return;
      const piece = firstPiece(part.text);
      if (piece.length === part.text.length) pending.shift();
      else part.text = part.text.slice(piece.length);
      const sent = publish(part.stream, piece)
        .catch(() => undefined)
        .finally(() => inFlight.delete(sent));
      inFlight.add(sent);
    }
  }

  return {
    write,
    async close(limitMs) {
      clearInterval(timer);
      announceGap();
      const deadline = AbortSignal.timeout(limitMs);
      const late = new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve(), { once: true }));
      flush();
      while (inFlight.size > 0 && !deadline.aborted) {
        await Promise.race([...inFlight, late]);
        flush();
      }
      pending = [];
    },
  };
}

/** The longest beginning of `text` that fits into one event. Escapes can make JSON six times as long as the text. */
export function firstPiece(text: string): string {
  let length = Math.min(text.length, MAX_CHARACTERS);
  while (length > 1 && Buffer.byteLength(JSON.stringify(text.slice(0, length))) > MAX_JSON_BYTES)
    length = Math.floor(length / 2);
  // Never between the two halves of a surrogate pair.
  const last = text.charCodeAt(length - 1);
  if (length > 1 && length < text.length && last >= 0xd800 && last <= 0xdbff) length -= 1;
  return text.slice(0, length);
}

/** Decodes the bytes of one stream; NUL, which databases refuse in text, is replaced. */
export function textDecoder(): { push(chunk: Buffer): string; end(): string } {
  const decoder = new StringDecoder('utf8');
  const clean = (text: string) => text.replaceAll('\0', '\u{fffd}');
  return { push: (chunk) => clean(decoder.write(chunk)), end: () => clean(decoder.end()) };
}
