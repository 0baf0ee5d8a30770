/** Something that can happen next. */
export interface Step {
  /** For people who read a counterexample. */
  what: string;
  run: () => void | Promise<void>;
}
