/** Maps an object to the values it is found under; undefined or [] leaves it out. */
export type IndexFunction<T> = (object: T) => string | readonly string[] | undefined;

/** One secondary index: from a value to the keys of the objects that have it. */
export class StoreIndex<T> {
  readonly #valuesOf: IndexFunction<T>;
  readonly #keys = new Map<string, Set<string>>();

  constructor(values: IndexFunction<T>) {
    this.#valuesOf = values;
  }

  /** Keys under a value, in the order they came. */
  keys(value: string): Iterable<string> {
    return this.#keys.get(value) ?? [];
  }

  /** Moves a key from the values of `old` to those of `next`. */
  replace(key: string, old: T | undefined, next: T | undefined): void {
    const before = old === undefined ? undefined : this.#valuesOf(old);
    const after = next === undefined ? undefined : this.#valuesOf(next);
    if (before === after) return;
    for (const value of listed(before)) if (!listed(after).includes(value)) this.#remove(value, key);
    for (const value of listed(after)) this.#add(value, key);
  }

  #add(value: string, key: string): void {
    const keys = this.#keys.get(value);
    if (keys === undefined) this.#keys.set(value, new Set([key]));
    else keys.add(key);
  }

  #remove(value: string, key: string): void {
    const keys = this.#keys.get(value);
    if (keys === undefined) return;
    keys.delete(key);
    if (keys.size === 0) this.#keys.delete(value);
  }
}

function listed(values: string | readonly string[] | undefined): readonly string[] {
  if (values === undefined) return [];
  return typeof values === 'string' ? [values] : values;
}
