/**
 * Messages to bytes and back. Both ends check size and schema. What is sent is exact; what is read may have fields that this version does not
 * know, since during an upgrade the other end may be newer: they are left out, and the rest has to fit.
 */
import { MAX_MESSAGE_BYTES } from '@millwright/crds';
import { z } from 'zod';
import { InvalidMessageError, messageOf, OversizedError } from './errors.ts';

/** Throws OversizedError or InvalidMessageError. */
export function encode<T>(schema: z.ZodType<T>, message: T): Buffer {
  const content = Buffer.from(stringify(message));
  // Size first: a part that is far too big should be reported as such, whatever else the schema says.
  if (content.length > MAX_MESSAGE_BYTES) {
    throw new OversizedError(content.length, MAX_MESSAGE_BYTES, largestField(JSON.parse(content.toString())));
  }
  const parsed = schema.safeParse(message);
  if (!parsed.success) throw InvalidMessageError.of(parsed.error, 'message');
  return content;
}

export type Decoded<T> = { ok: true; message: T } | { ok: false; reason: string };

/** Never throws: whatever arrives, the answer is a message or the reason why it is none. */
export function decode<T>(schema: z.ZodType<T>, content: Buffer): Decoded<T> {
  if (content.length > MAX_MESSAGE_BYTES) {
    return { ok: false, reason: `oversized: ${content.length} bytes, at most ${MAX_MESSAGE_BYTES} are allowed` };
  }
  let value: unknown;
  try {
    value = JSON.parse(content.toString());
  } catch (error) {
    return { ok: false, reason: `malformed: ${messageOf(error)}` };
  }
  try {
    let parsed = schema.safeParse(value);
    if (!parsed.success && leaveOut(parsed.error, value)) parsed = schema.safeParse(value);
    return parsed.success
      ? { ok: true, message: parsed.data }
      : { ok: false, reason: `invalid: ${z.prettifyError(parsed.error)}` };
  } catch (error) {
    // A schema's own refinement may throw, and deep nesting may exhaust the stack.
    return { ok: false, reason: `invalid: ${messageOf(error)}` };
  }
}

/** Removes the fields that a schema does not know from a value that it refused. Returns whether there were any. */
function leaveOut(error: z.ZodError, value: unknown): boolean {
  let found = false;
  for (const issue of error.issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    found = true;
    const holder = issue.path.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown>)[step], value);
    for (const key of issue.keys) delete (holder as Record<string, unknown>)[key];
  }
  return found;
}

function stringify(message: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(message);
  } catch (error) {
    throw new InvalidMessageError(`message cannot be written as JSON: ${messageOf(error)}`, { cause: error });
  }
  if (text === undefined) throw new InvalidMessageError('message cannot be written as JSON');
  return text;
}

/** Path of the deepest part of a JSON value that makes up more than half of its parent. */
export function largestField(value: unknown): string {
  let path = '';
  let current = value;
  let size = jsonLength(current);
  while (typeof current === 'object' && current !== null) {
    let best: { step: string; value: unknown; size: number } | undefined;
    for (const [key, child] of Object.entries(current)) {
      const length = jsonLength(child);
      if (length > (best?.size ?? 0)) {
        best = {
          step: Array.isArray(current) ? `[${key}]` : `${path === '' ? '' : '.'}${key}`,
          value: child,
          size: length,
        };
      }
    }
    if (!best || best.size * 2 < size) break;
    path += best.step;
    current = best.value;
    size = best.size;
  }
  return path;
}

const jsonLength = (value: unknown): number => JSON.stringify(value)?.length ?? 0;
