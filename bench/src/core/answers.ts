/** What the peers answer with. They are programs of this repository: what they print is taken as it is, apart from the time. */

export interface NativeDiff {
  milliseconds: number;
  /** Of the hunks. */
  bytes: number;
}

/** @param times how many diffs were asked for */
export function readNativeDiff(answer: string, times: number): NativeDiff {
  const { nanoseconds, bytes } = JSON.parse(answer) as { nanoseconds: number; bytes: number };
  return { milliseconds: milliseconds(nanoseconds) / times, bytes };
}

/** A secret in a text. */
export interface Planted {
  /** Whose templates it was made from: `core` or `gitleaks`. */
  set: string;
  /** Name of the template. */
  name: string;
  path: string;
  text: string;
  secret: string;
}

export function readPlanted(answer: string): Planted[] {
  const rows = JSON.parse(answer) as [string, string, string, string, number, number][];
  return rows.map(([set, name, path, text, start, end]) => ({
    set,
    name,
    path,
    text,
    secret: Buffer.from(text).subarray(start, end).toString('utf8'),
  }));
}

export interface GitleaksScan {
  milliseconds: number;
  bytes: number;
  findings: readonly { file: number; rule: string; secret: string }[];
}

export function readGitleaksScan(answer: string): GitleaksScan {
  const { nanoseconds, ...rest } = JSON.parse(answer) as Omit<GitleaksScan, 'milliseconds'> & { nanoseconds: number };
  return { milliseconds: milliseconds(nanoseconds), ...rest };
}

function milliseconds(nanoseconds: number): number {
  if (!(nanoseconds > 0)) throw new RangeError(`a peer says that it took ${nanoseconds} ns`);
  return nanoseconds / 1e6;
}
