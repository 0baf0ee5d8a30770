/** Fields of requests and answers, little-endian, as `wasm/src/frame.rs` reads and writes them. */

export type Bytes = Uint8Array | string;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Collects the fields of a request. Byte strings are kept as they are until they are written into the memory of the core: they are copied once. */
export class Request {
  readonly #parts: (number | Uint8Array)[] = [];
  #length = 0;

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  /** @param field what it is called where it was given, for the error */
  u32(value: number, field = 'a length'): this {
    // All fields come through here, and nearly all are fit.
    this.#parts.push(value >>> 0 === value ? value : most(value, 2 ** 32 - 1, field));
    this.#length += 4;
    return this;
  }

  /** Exact up to 2^53. */
  u64(value: number, field: string): this {
    const fit = most(value, Number.MAX_SAFE_INTEGER, field);
    return this.u32(fit % 2 ** 32).u32(Math.floor(fit / 2 ** 32));
  }

  bool(value: boolean): this {
    return this.u32(value ? 1 : 0);
  }

  bytes(value: Bytes): this {
    const bytes = typeof value === 'string' ? encoder.encode(value) : value;
    this.u32(bytes.length);
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return this;
  }

  /** What may be missing, which is not the same as empty. */
  optionalBytes(value: Bytes | undefined): this {
    this.bool(value !== undefined);
    return value === undefined ? this : this.bytes(value);
  }

  /** @param target as long as the request */
  writeTo(target: Uint8Array): void {
    const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    let at = 0;
    for (const part of this.#parts) {
      if (typeof part === 'number') {
        view.setUint32(at, part, true);
        at += 4;
      } else {
        target.set(part, at);
        at += part.length;
      }
    }
  }
}

/** What is beyond all that a field can hold, such as Infinity, means no limit: the most that there is. The number would wrap otherwise. */
function most(value: number, limit: number, field: string): number {
  if (value > limit) return limit;
  if (Number.isInteger(value) && value >= 0) return value;
  throw new RangeError(`${field} is a whole number from 0 on, or Infinity, not ${value}`);
}

/** The index of a name among those that there are. */
export function indexOf<T extends string>(names: readonly T[], name: T, field: string): number {
  const index = names.indexOf(name);
  if (index < 0) throw new RangeError(`${field} is one of ${names.join(', ')}, not ${name}`);
  return index;
}

/** Reads the fields of an answer where it lies in the memory of the core: what is kept beyond the call is copied. */
export class Answer {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u32(): number {
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }

  /** Exact up to 2^53. */
  u64(): number {
    return this.u32() + this.u32() * 2 ** 32;
  }

  bool(): boolean {
    return this.u32() !== 0;
  }

  bytes(): Uint8Array {
    return copyOf(this.#take(this.u32()));
  }

  /** What lies elsewhere in the memory, where the core has made it. */
  keptBytes(): Uint8Array {
    const at = this.u32();
    return copyOf(new Uint8Array(this.#bytes.buffer, at, this.u32()));
  }

  text(): string {
    return decoder.decode(this.#take(this.u32()));
  }

  /** Numbers that lie together. */
  table(): Uint32Array {
    return new Uint32Array(this.#take(this.u32() * 4).slice().buffer);
  }

  /** What a list holds, its length before it. */
  list<T>(read: (answer: Answer) => T): T[] {
    return Array.from({ length: this.u32() }, () => read(this));
  }

  /** What stands there whether or not it counts. */
  optional<T>(read: (answer: Answer) => T): T | undefined {
    const isThere = this.bool();
    const value = read(this);
    return isThere ? value : undefined;
  }

  #take(length: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }
}

/** A copy. Node can leave its memory as it is before: to make it zero takes half as long as to copy. */
function copyOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 2 ** 14 || !('Buffer' in globalThis)) return bytes.slice();
  const copy = new Uint8Array(Buffer.allocUnsafeSlow(bytes.length).buffer);
  copy.set(bytes);
  return copy;
}

export const bytes = (answer: Answer): Uint8Array => answer.bytes();
export const u32 = (answer: Answer): number => answer.u32();

/** The fields that have a value. */
export const given = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
