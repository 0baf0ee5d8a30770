import { CoreError, readError } from './errors.ts';
import { Answer, Request } from './frame.ts';
import * as glue from './generated/core.js';

/** A WebAssembly memory never gets smaller. When it has become larger than this and nothing lives in it, the next call begins with a fresh one. */
const RESTART_ABOVE_BYTES = 256 * 2 ** 20;

/** The instance of the core that this thread has. Calls are synchronous. */
export class Instance {
  /** Counts fresh instances: what lived in an older one is gone. */
  #generation = 0;
  #held = 0;
  #isLost = false;
  #memory: WebAssembly.Memory;

  constructor(module: WebAssembly.Module) {
    glue.initSync({ module });
    this.#memory = this.#begin();
  }

  get generation(): number {
    return this.#generation;
  }

  /** Bytes of memory that the core occupies. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Something lives in the memory between calls. Returns how to end that, once. */
  hold(): () => void {
    const generation = this.#generation;
    let holds = true;
    this.#held += 1;
    return () => {
      if (holds && generation === this.#generation) this.#held -= 1;
      holds = false;
    };
  }

  /**
   * Runs an operation.
   *
   * @throws CoreError when it cannot be done
   */
  call<T>(operation: () => number, write: (request: Request) => void, read: (answer: Answer) => T): T {
    if (this.#held === 0 && this.memoryBytes > RESTART_ABOVE_BYTES) this.#lose();
    if (this.#isLost) this.#restart();
    const request = new Request();
    write(request);
    const { at, length } = this.#run(operation, request);
    const answer = new Answer(new Uint8Array(this.#memory.buffer, at, length));
    if (!answer.bool()) throw readError(answer);
    return read(answer);
  }

  #run(operation: () => number, request: Request): { at: number; length: number } {
    if (request.length >= 2 ** 31) throw tooMuch(request.length);
    const at = this.#enter(glue.requestAt, request.length);
    if (at === 0) throw tooMuch(request.length);
    request.writeTo(new Uint8Array(this.#memory.buffer, at, request.length));
    const length = this.#enter(operation);
    return { at: this.#enter(glue.answerAt), length };
  }

  /** Calls into the core. Whatever comes out is a trap, and not only a RuntimeError: engines say in their own ways that the stack is full. */
  #enter(operation: (length: number) => number, length = 0): number {
    try {
      return operation(length);
    } catch (error) {
      this.#lose();
      const { message } = error as Error;
      throw new CoreError(
        'Trapped',
        `the core has a defect: ${message}; please report the input`,
        {},
        { cause: error },
      );
    }
  }

  /** Gives up what is in the memory, which may be in any state. The next call begins anew: where the stack is full, this one could not. */
  #lose(): void {
    this.#generation += 1;
    this.#held = 0;
    this.#isLost = true;
  }

  #restart(): void {
    glue.restart();
    this.#memory = this.#begin();
    this.#isLost = false;
  }

  #begin(): WebAssembly.Memory {
    // Seeded from where V8 has the seeds of its own hash tables. To load `crypto` takes Node as long as to compile the core.
    const random = () => Math.floor(Math.random() * 2 ** 32);
    glue.setSeed(random(), random());
    return glue.wasmMemory();
  }
}

const tooMuch = (bytes: number): CoreError =>
  new CoreError('Memory', `no memory for a request of ${bytes} bytes: give it less at a time`);

/** Something that lives in the memory of the core between calls, until it is disposed of. */
export abstract class Resident implements Disposable {
  readonly #instance: Instance;
  readonly #number: number;
  readonly #generation: number;
  readonly #release: () => void;
  readonly #dispose: (number: number) => void;

  constructor(instance: Instance, dispose: (number: number) => void, create: () => number) {
    this.#instance = instance;
    this.#dispose = dispose;
    this.#number = create();
    this.#generation = instance.generation;
    this.#release = instance.hold();
  }

  /** Runs an operation on it. Its number comes first in the request. */
  protected call<T>(operation: () => number, write: (request: Request) => void, read: (answer: Answer) => T): T {
    if (this.#isLost) throw new CoreError('InstanceLost', 'the core was replaced after a defect: make another');
    return this.#instance.call(
      operation,
      (request) => {
        request.u32(this.#number);
        write(request);
      },
      read,
    );
  }

  [Symbol.dispose](): void {
    if (!this.#isLost) this.#dispose(this.#number);
    this.#release();
  }

  get #isLost(): boolean {
    return this.#generation !== this.#instance.generation;
  }
}
