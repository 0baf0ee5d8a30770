/** Takes secrets out of the output of an attempt: those that it was given, and whatever has the form of one. */
import { type Core, CoreError, type Redactor } from '@millwright/native-wasm';

export interface Redaction {
  /** Begins a stream of bytes. */
  begin(): RedactedStream;
  /** Redacts a whole text. */
  text(text: string): string;
  /** Lets go of what was kept for the next stream. */
  end(): void;
}

/** What comes out of it never has a secret, however the stream is cut into chunks. */
export interface RedactedStream {
  /** Takes more and returns what can be shown already. */
  push(chunk: Uint8Array | string): Uint8Array;
  /** Returns the rest. */
  end(): Uint8Array;
}

const NOTHING = new Uint8Array();

/** The core was replaced after a defect, which may have been in another operation. */
const isLost = (error: unknown): boolean => error instanceof CoreError && error.code === 'InstanceLost';

/** @param secrets of those with fewer than eight bytes none is masked, since that would destroy the output */
export function createRedaction(core: Pick<Core, 'createRedactor'>, secrets: readonly string[]): Redaction {
  // Making one compiles all rules, so one that has ended its stream is taken for another.
  const idle: Redactor[] = [];
  const clear = () => {
    for (const redactor of idle.splice(0)) redactor[Symbol.dispose]();
  };

  function begin(): RedactedStream {
    let redactor: Redactor | undefined;
    let hasFailed = false;

    /** Gives the beginning of the stream to one that is idle, if there is one. */
    function start(redact: (redactor: Redactor) => Uint8Array): Uint8Array {
      redactor = idle.pop();
      try {
        if (redactor !== undefined) return redact(redactor);
      } catch (error) {
        // It was lost while it was idle, with the others: nothing of this stream was in it.
        if (!isLost(error)) throw error;
        redactor?.[Symbol.dispose]();
        clear();
      }
      redactor = core.createRedactor(secrets);
      return redact(redactor);
    }

    /** What could not be looked at is not shown. */
    function guarded(redact: (redactor: Redactor) => Uint8Array): Uint8Array {
      if (hasFailed) return NOTHING;
      try {
        return redactor === undefined ? start(redact) : redact(redactor);
      } catch (error) {
        hasFailed = true;
        redactor?.[Symbol.dispose]();
        redactor = undefined;
        // One that has failed may have taken the others with it.
        clear();
        const why = error instanceof Error ? error.message : String(error);
        return Buffer.from(`\n[millwright] the rest of this output is left out, since it cannot be redacted: ${why}\n`);
      }
    }

    return {
      push: (chunk) => guarded((it) => it.push(chunk)),
      end() {
        if (redactor === undefined) return NOTHING;
        const rest = guarded((it) => it.end());
        if (redactor !== undefined) idle.push(redactor);
        redactor = undefined;
        return rest;
      },
    };
  }

  return {
    begin,
    text(text) {
      const stream = begin();
      return Buffer.concat([stream.push(text), stream.end()]).toString('utf8');
    },
    end: clear,
  };
}
