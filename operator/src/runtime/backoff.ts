/** How long to wait between tries: between 0 and `min(capMs, baseMs * 2^failures)`. */
export interface BackoffPolicy {
  baseMs: number;
  capMs: number;
}

/**
 * Exponential backoff with full jitter: many clients that failed together spread over the whole interval
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param failures failures in a row so far, from 0
 * @param random a number in [0, 1)
 * @returns milliseconds
 */
export function fullJitter(policy: BackoffPolicy, failures: number, random: () => number): number {
  const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(failures, 40));
  return random() * ceiling;
}
