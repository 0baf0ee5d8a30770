import type { Core } from '../../core.ts';
import { CoreError } from '../../errors.ts';

/** What an operation answers, the same wherever the core runs. */
export interface Case {
  readonly name: string;
  /** What can be written as JSON. */
  run(core: Core): unknown;
  readonly expected: unknown;
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');

/** What an operation throws. */
export function thrown(operation: () => unknown): unknown {
  try {
    operation();
    return 'nothing was thrown';
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    const { code, offset, item, message } = error;
    return { code, message, ...(offset === undefined ? {} : { offset }), ...(item === undefined ? {} : { item }) };
  }
}
