/** The log of one attempt: what commands print, and what the agent says about its own steps. */
import { createLiveLog, type LiveLogOptions, type LogStream, textDecoder } from './live-log.ts';
import type { Redaction } from './redaction.ts';
import { readable } from './tail.ts';
import { createTranscript } from './transcript.ts';
import type { OutputStream } from './workspace/protocol.ts';

export interface AttemptLog {
  /** One line of the agent's own. */
  system(line: string): void;
  /** Begins the output of one command. */
  command(): CommandLog;
  /** Ends the live log, waiting at most `limitMs` for confirmations, and returns the whole log. */
  close(limitMs: number): Promise<Buffer>;
}

interface CommandLog {
  output(stream: OutputStream, chunk: Buffer, omitted: number): void;
  /** Ends it and returns the last part of what was printed, readable. */
  end(): string;
}

const TAIL_CHARACTERS = 4096;

/** @param options with how secrets are taken out of what commands print; it ends with the log */
export function createAttemptLog(options: LiveLogOptions & { redaction: Redaction }): AttemptLog {
  const { redaction } = options;
  const live = createLiveLog(options);
  const transcript = createTranscript();

  function add(stream: LogStream, text: string): void {
    if (text === '') return;
    transcript.add(text);
    live.write(stream, text);
  }

  const system = (line: string) => add('system', `[millwright] ${line}\n`);

  return {
    system,
    command() {
      let tail = '';
      const show = (stream: OutputStream, text: string) => {
        tail = (tail + text).slice(-TAIL_CHARACTERS);
        add(stream, text);
      };
      const chain = () => {
        const redacted = redaction.begin();
        const decoder = textDecoder();
        return {
          push: (chunk: Buffer) => decoder.push(Buffer.from(redacted.push(chunk))),
          end: () => decoder.push(Buffer.from(redacted.end())) + decoder.end(),
        };
      };
      const chains = { stdout: chain(), stderr: chain() };
      return {
        output(stream, chunk, omitted) {
          if (omitted > 0) system(`${omitted} bytes of output are left out here`);
          show(stream, chains[stream].push(chunk));
        },
        end() {
          for (const stream of ['stdout', 'stderr'] as const) show(stream, chains[stream].end());
          // Once more: a secret may have had in it what is not shown.
          return redaction.text(readable(tail));
        },
      };
    },
    async close(limitMs) {
      await live.close(limitMs);
      redaction.end();
      return transcript.content();
    },
  };
}
