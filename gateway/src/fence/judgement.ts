import type { Finding, Policy } from '@millwright/crds';

/** What a commit changes, and by what it is to be judged. */
export interface Change {
  /** Folder of a repository that has both commits. */
  repository: string;
  /** What the work started from. */
  base: string;
  commit: string;
  policy?: Policy | undefined;
}

/** What the fence says of a change. Both lists are bounded, the most important first; messages are one line, and do not repeat the path. */
export interface Judgement {
  /** Empty: the change may be. */
  refused: Finding[];
  /** What does not refuse it. */
  reported: Finding[];
}

/** Findings of each list. */
export const MAX_FINDINGS = 10;
const MAX_PATH = 256;
const MAX_MESSAGE = 320;

const cut = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text);

/** Text of a commit as it can be shown in a line. */
const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '\u{fffd}').toWellFormed();

/** The first of a list; the last of them says how many more there are. */
export function bounded(findings: readonly Finding[]): Finding[] {
  const shown = findings.slice(0, findings.length > MAX_FINDINGS ? MAX_FINDINGS - 1 : MAX_FINDINGS);
  const rest = findings[shown.length];
  const more: Finding[] = rest
    ? [{ kind: rest.kind, path: '', message: `and ${findings.length - shown.length} more` }]
    : [];
  return [...shown, ...more].map((finding) => ({
    ...finding,
    path: cut(printable(finding.path), MAX_PATH),
    message: cut(printable(finding.message), MAX_MESSAGE),
  }));
}

/** Why a change is refused, as lines of which the first says who refuses it. */
export const refusalOf = (project: string, { refused }: Judgement): string[] => [
  `the policy of Project ${project} (spec.policy) refuses these changes`,
  ...refused.map(lineOf),
];

/** A finding as one line. */
export function lineOf({ path, line, message }: Finding): string {
  return path === '' ? message : `${path}${line === undefined ? '' : `:${line}`}: ${message}`;
}
