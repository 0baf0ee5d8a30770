/** The whole log of an attempt, bounded: its first and its last part. */

export interface Transcript {
  add(text: string): void;
  content(): Buffer;
}

const HEAD_BYTES = 12 * 1024 * 1024;
const TAIL_BYTES = 4 * 1024 * 1024;

export function createTranscript(
  limits: { head: number; tail: number } = { head: HEAD_BYTES, tail: TAIL_BYTES },
): Transcript {
  const head: Buffer[] = [];
  let tail: Buffer[] = [];
  let headBytes = 0;
  let tailBytes = 0;
  let leftOut = 0;

  return {
    add(text) {
      const bytes = Buffer.from(text);
      const fits = bytes.subarray(0, limits.head - headBytes);
      const rest = bytes.subarray(fits.length);
      if (fits.length > 0) head.push(fits);
      headBytes += fits.length;
      if (rest.length === 0) return;
      tail.push(rest);
      tailBytes += rest.length;
      // Twice as much is kept before anything is dropped, so that a flood of small writes stays linear.
      if (tailBytes <= 2 * limits.tail) return;
      const all = Buffer.concat(tail);
      leftOut += all.length - limits.tail;
      tail = [all.subarray(all.length - limits.tail)];
      tailBytes = limits.tail;
    },
    content() {
      const gap = leftOut === 0 ? [] : [Buffer.from(`\n… ${leftOut} bytes are left out here …\n`)];
      return Buffer.concat([...head, ...gap, ...tail]);
    },
  };
}
