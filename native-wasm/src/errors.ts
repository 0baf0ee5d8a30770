import type { Answer } from './frame.ts';

/** Where in the input something is wrong. */
interface Place {
  /** In bytes from the start of the input. */
  offset?: number;
  /** Index in the batch. */
  item?: number;
}

/** An operation that has not been done. The core goes on to work. */
export class CoreError extends Error {
  override readonly name = 'CoreError';
  /** What code decides by, such as `Budget`, `Size`, `Memory`, or a kind of the operation. */
  readonly code: string;
  readonly offset?: number;
  readonly item?: number;

  constructor(code: string, message: string, { offset, item }: Place = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    if (offset !== undefined) this.offset = offset;
    if (item !== undefined) this.item = item;
  }
}

/** Reads the error that an operation answered with. */
export function readError(answer: Answer): CoreError {
  const [code, message] = [answer.text(), answer.text()];
  const [hasOffset, offset] = [answer.bool(), answer.u64()];
  const [hasItem, item] = [answer.bool(), answer.u32()];
  return new CoreError(code, message, { ...(hasOffset ? { offset } : {}), ...(hasItem ? { item } : {}) });
}
