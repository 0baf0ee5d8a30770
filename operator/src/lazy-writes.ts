import type { Clock } from './runtime/index.ts';

/**
 * Decides when a status that is true only for the moment is worth a write. It is written when it has been true for `delayMs` and the
 * budget allows: under load, phases that are outdated a moment later are not written at all, which is what keeps the API server free for
 * the writes that matter.
 */
export class LazyWrites {
  readonly #since = new Map<string, { signature: string; at: number }>();
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #refilledAt: number;

  constructor(options: { clock: Clock; delayMs?: number; perSecond?: number; burst?: number }) {
    this.#clock = options.clock;
    this.#delayMs = options.delayMs ?? 300;
    this.#perSecond = options.perSecond ?? 10;
    this.#burst = options.burst ?? 20;
    this.#tokens = this.#burst;
    this.#refilledAt = options.clock.now();
  }

  /**
   * Milliseconds to wait before asking again, or 0: write now.
   * @param atLeastMs for an object that is expensive to write: how long its status must have been true, if that is longer
   */
  delay(key: string, signature: string, atLeastMs = 0): number {
    const delayMs = Math.max(this.#delayMs, atLeastMs);
    const now = this.#clock.now();
    const known = this.#since.get(key);
    if (known?.signature !== signature) {
      this.#since.set(key, { signature, at: now });
      return delayMs;
    }
    const left = known.at + delayMs - now;
    if (left > 0) return left;
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#refilledAt) / 1000) * this.#perSecond);
    this.#refilledAt = now;
    if (this.#tokens < 1) return Math.max(this.#delayMs, ((1 - this.#tokens) / this.#perSecond) * 1000);
    this.#tokens -= 1;
    this.#since.delete(key);
    return 0;
  }

  /** Something was written, or the object is gone: the wait starts over. */
  clear(key: string): void {
    this.#since.delete(key);
  }
}
