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
    this.#remove(first);
    return first;
  }

  /** Removes a key whenever it is due. */
  remove(key: string): void {
    const known = this.#byKey.get(key);
    if (known !== undefined) this.#remove(known);
  }

  clear(): void {
    this.#heap.length = 0;
    this.#byKey.clear();
  }

  #remove(entry: Delayed): void {
    this.#byKey.delete(entry.key);
    const last = this.#heap.pop() as Delayed;
    if (last === entry) return;
    this.#put(last, entry.place);
    this.#up(last);
    this.#down(last);
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
