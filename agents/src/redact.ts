/** Removes known secrets from a stream of text, also where a secret is cut in two by chunks. */
export interface Redactor {
  /** Takes more text and returns what can be shown already. */
  push(text: string): string;
  /** Returns the rest. */
  end(): string;
}

const MASK = '***';

/** @param secrets exact texts; short ones are ignored, since masking them would destroy the output */
export function createRedactor(secrets: readonly string[]): Redactor {
  const known = secrets.filter((secret) => secret.length >= 8).sort((a, b) => b.length - a.length);
  let held = '';

  const mask = (text: string) => known.reduce((masked, secret) => masked.replaceAll(secret, MASK), text);

  /** Where the longest end of `text` begins that may be the beginning of a secret. */
  function undecidedFrom(text: string): number {
    let earliest = text.length;
    for (const secret of known) {
      const first = secret.charAt(0);
      let at = text.indexOf(first, Math.max(0, text.length - secret.length + 1));
      while (at >= 0 && at < earliest && !secret.startsWith(text.slice(at))) at = text.indexOf(first, at + 1);
      if (at >= 0 && at < earliest) earliest = at;
    }
    return earliest;
  }

  return {
    push(text) {
      const all = mask(held + text);
      const from = undecidedFrom(all);
      held = all.slice(from);
      return all.slice(0, from);
    },
    end() {
      const rest = held;
      held = '';
      return rest;
    },
  };
}
