import type { Bytes } from './frame.ts';
import * as glue from './generated/core.js';
import { type Instance, Resident } from './instance.ts';

export interface ScannedText {
  /** With `/` between its parts, or empty: what is for tests or documents is less severe, and lock files hold hashes. */
  path: Bytes;
  contents: Bytes;
}

export interface ScanOptions {
  /** Comments may say that the secret in their line is none. Not for texts of those who are to be kept from hiding some. */
  allowComments?: boolean;
}

export interface SecretFinding {
  /** Name of the rule. */
  rule: string;
  /** What can be shown of it. */
  preview: string;
  severity: 'suspect' | 'medium' | 'high';
  /** In bytes. */
  start: number;
  end: number;
  /** From 1 on. */
  line: number;
  /** In bytes, from 1 on. */
  column: number;
}

const severities = ['suspect', 'medium', 'high'] as const;

/**
 * Finds the secrets of texts.
 *
 * @returns for each text what was found, in the order of the text
 * @throws CoreError `Size`, `Memory`, `Budget`, with the index of the text
 */
export function scanSecrets(
  instance: Instance,
  texts: readonly ScannedText[],
  { allowComments = false }: ScanOptions = {},
): SecretFinding[][] {
  return instance.call(
    glue.scanSecrets,
    (request) => {
      request.bool(allowComments);
      for (const { path, contents } of texts) request.bytes(path).bytes(contents);
    },
    (answer) =>
      texts.map(() =>
        answer.list(() => ({
          rule: answer.text(),
          preview: answer.text(),
          severity: severities[answer.u32()] ?? 'high',
          start: answer.u32(),
          end: answer.u32(),
          line: answer.u32(),
          column: answer.u32(),
        })),
      ),
  );
}

/** Puts `***` for each secret in a stream of bytes, however it is cut into chunks, and gives out the rest as early as it can. */
export class Redactor extends Resident {
  /** The first half of a character, of which the second is to come. */
  #half = '';

  /** @param secrets that are known; of those with fewer than eight bytes none is masked */
  constructor(instance: Instance, secrets: readonly Bytes[]) {
    super(instance, glue.disposeRedactor, () =>
      instance.call(
        glue.createRedactor,
        (request) => {
          for (const secret of secrets) request.bytes(secret);
        },
        (answer) => answer.u32(),
      ),
    );
  }

  /** Takes more of the stream. Returns what can be shown already. Strings may be cut anywhere, as between the halves of a character. */
  push(chunk: Bytes): Uint8Array {
    if (typeof chunk !== 'string') return this.#redact(this.#half === '' ? chunk : behind(this.#half, chunk), false);
    const text = this.#half + chunk;
    const end = endsInHalf(text) ? text.length - 1 : text.length;
    const shown = this.#redact(text.slice(0, end), false);
    this.#half = text.slice(end);
    return shown;
  }

  /** Ends the stream. Returns the rest; what comes then is another stream. */
  end(): Uint8Array {
    return this.#redact(this.#half, true);
  }

  #redact(chunk: Bytes, ends: boolean): Uint8Array {
    this.#half = '';
    return this.call(
      glue.redact,
      (request) => request.bool(ends).bytes(chunk),
      (answer) => answer.bytes(),
    );
  }
}

function endsInHalf(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last < 0xdc00;
}

function behind(text: string, bytes: Uint8Array): Uint8Array {
  const before = new TextEncoder().encode(text);
  const all = new Uint8Array(before.length + bytes.length);
  all.set(before);
  all.set(bytes, before.length);
  return all;
}
