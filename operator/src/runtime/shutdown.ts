import type { Logger } from '@millwright/otel';
import { type Clock, sleep, systemClock } from './clock.ts';

export interface ShutdownOptions {
  logger: Logger;
  /** For all steps together; 25,000 by default, below a pod's usual 30 s. */
  graceMs?: number;
  signals?: readonly NodeJS.Signals[];
  /** Ends the process; `process.exit` by default. */
  exit?: (code: number) => void;
  clock?: Clock;
}

/** The orderly end of a process. */
export interface Shutdown {
  /** Aborts when the end begins. */
  readonly signal: AbortSignal;
  /** Adds a step. Steps run one after the other, the last added first, so what was started last ends first. */
  add(name: string, step: () => void | Promise<void>): void;
  /** Begins the end, once; later calls change nothing. The first code given is the process's. */
  begin(reason: string, code: number): void;
  /** Resolves to the exit code when all steps have run or time was up. */
  readonly done: Promise<number>;
  /** Stops listening to signals and faults: for tests. */
  detach(): void;
}

/**
 * Ends the process in order on a signal, a second of which ends it at once, and on an uncaught exception, after which
 * nothing is known about its state. An unhandled rejection is one lost promise: it is logged, and the rest goes on.
 */
export function createShutdown(options: ShutdownOptions): Shutdown {
  const { logger } = options;
  const clock = options.clock ?? systemClock;
  const exit = options.exit ?? ((code: number) => process.exit(code));
  const abort = new AbortController();
  const done = Promise.withResolvers<number>();
  const steps: { name: string; step: () => void | Promise<void> }[] = [];

  async function runSteps(): Promise<void> {
    for (const { name, step } of steps.reverse()) {
      try {
        await step();
      } catch (error) {
        logger.error('shutdown step failed', { step: name, error });
      }
    }
  }

  async function end(code: number): Promise<void> {
    const enough = new AbortController();
    const graceMs = options.graceMs ?? 25_000;
    const late = sleep(clock, graceMs, enough.signal).then(() => {
      if (!enough.signal.aborted) logger.error('shutdown took too long, leaving', { graceMs });
    });
    await Promise.race([runSteps(), late]);
    enough.abort();
    logger.info('stopped', { code });
    done.resolve(code);
    exit(code);
  }

  function begin(reason: string, code: number): void {
    if (abort.signal.aborted) return;
    logger.info('stopping', { reason, code });
    abort.abort();
    void end(code);
  }

  const onSignal = (signal: NodeJS.Signals) => {
    if (abort.signal.aborted) exit(1);
    else begin(signal, 0);
  };
  const onException = (error: unknown) => {
    logger.error('uncaught exception', { error });
    begin('uncaught exception', 1);
  };
  const onRejection = (error: unknown) => logger.error('unhandled rejection', { error });
  const signals = options.signals ?? ['SIGTERM', 'SIGINT'];
  for (const signal of signals) process.on(signal, onSignal);
  process.on('uncaughtException', onException);
  process.on('unhandledRejection', onRejection);

  return {
    signal: abort.signal,
    done: done.promise,
    add: (name, step) => steps.push({ name, step }),
    begin,
    detach: () => {
      for (const signal of signals) process.off(signal, onSignal);
      process.off('uncaughtException', onException);
      process.off('unhandledRejection', onRejection);
    },
  };
}
