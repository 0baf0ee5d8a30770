interface Delayed {
  key: string;
  dueAt: number;
  place: number;
}

/** Keys ordered by when they are due: a binary heap in which a key occurs once. All operations are O(log n). */
export class DelayHeap {
  readonly #heap: Delayed[] = [];
  readonly #byKey = new Map<string, Delayed>();

  get size(): number {
    return this.#heap.length;
  }

  /** When the next key is due, or undefined when there is none. */
  get nextDue(): number | undefined {
    return this.#heap[0]?.dueAt;
  }

  /** Adds a key, or brings a known one forward; a later time than the known one changes nothing. */
  add(key: string, dueAt: number): void {
    const known = this.#byKey.get(key);
    if (known === undefined) {
      const entry = { key, dueAt, place: this.#heap.length };
      this.#heap.push(entry);
      this.#byKey.set(key, entry);
      this.#up(entry);
    } else if (dueAt < known.dueAt) {
      known.dueAt = dueAt;
      this.#up(known);
    }
  }

  /** Removes and returns a key that is due at `now`, with its time; undefined when none is. */
  takeDue(now: number): { key: string; dueAt: number } | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueAt > now) return undefined;
    const last = this.#heap.pop() as Delayed;
    if (last !== first) {
      this.#put(last, 0);
      this.#down(last);
    }
    this.#byKey.delete(first.key);
    return first;
  }

  clear(): void {
    this.#heap.length = 0;
    this.#byKey.clear();
  }

  #put(entry: Delayed, place: number): void {
    this.#heap[place] = entry;
    entry.place = place;
  }

  #up(entry: Delayed): void {
    while (entry.place > 0) {
      const parentPlace = (entry.place - 1) >> 1;
      const parent = this.#heap[parentPlace] as Delayed;
      if (parent.dueAt <= entry.dueAt) return;
      const place = entry.place;
      this.#put(entry, parentPlace);
      this.#put(parent, place);
    }
  }

  #down(entry: Delayed): void {
    for (;;) {
      const left = this.#heap[2 * entry.place + 1];
      const right = this.#heap[2 * entry.place + 2];
      const child = right !== undefined && left !== undefined && right.dueAt < left.dueAt ? right : left;
      if (child === undefined || child.dueAt >= entry.dueAt) return;
      const { place } = entry;
      const childPlace = child.place;
      this.#put(child, place);
      this.#put(entry, childPlace);
    }
  }
}
