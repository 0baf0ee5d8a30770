import { expect } from 'vitest';

/** Looks again and again until the expectation holds; long enough for a machine that is busy with other things. */
export const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 30_000 });
