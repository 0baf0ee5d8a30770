/** Decisions of a run. They come from the property test, which can then shrink them; when they are used up, nothing unusual happens. */
export interface Chance {
  /** A number in [0, n); 0 when the decisions are used up. */
  choose(n: number): number;
  /** Whether something unusual happens: about once in `n`, never when the decisions are used up. */
  unusual(n: number): boolean;
  readonly isOver: boolean;
  /** Uses up the rest. */
  end(): void;
}

export function chanceFrom(decisions: readonly number[]): Chance {
  let next = 0;
  const choose = (n: number): number => {
    const decision = decisions[next];
    if (decision === undefined) return 0;
    next++;
    return decision % n;
  };
  return {
    choose,
    unusual: (n) => choose(n) === n - 1,
    end: () => {
      next = decisions.length;
    },
    get isOver() {
      return next >= decisions.length;
    },
  };
}
