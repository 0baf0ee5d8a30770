import type { Broker } from './types.ts';

/** Returns the exit code. */
export declare function deadLettersCommand(
  argv: readonly string[],
  broker: Broker,
  write?: (line: string) => void,
): Promise<number>;
