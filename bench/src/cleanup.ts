/** What has been made and must go again, whatever happens in between: each thing once, the last made first. */
export interface Cleanup extends AsyncDisposable {
  /** Returns what removes the thing at once; it is then not removed again. */
  add(remove: () => PromiseLike<void>): () => Promise<void>;
}

export function createCleanup(): Cleanup {
  const steps: (() => Promise<void>)[] = [];
  return {
    add(remove) {
      let removal: Promise<void> | undefined;
      const once = () => {
        removal ??= (async () => {
          await remove();
          steps.splice(steps.indexOf(once), 1);
        })();
        return removal;
      };
      steps.push(once);
      return once;
    },
    async [Symbol.asyncDispose]() {
      const failures: unknown[] = [];
      for (const step of steps.toReversed()) await step().catch((error: unknown) => failures.push(error));
      if (failures.length > 0)
        throw new AggregateError(failures, `not everything was removed: ${failures.map(String).join('; ')}`);
    },
  };
}
