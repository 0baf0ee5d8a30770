import type { GitError } from './git-command.ts';

/**
 * Why a forge refused or failed.
 * - `credentials`: none were given where some are needed, or they are not taken
 * - `forbidden`: they are taken, and may not do this
 * - `notFound`: there is no such repository, or it is not shown to these credentials
 * - `unknownHost`: the name of the host does not resolve
 * - `unsupported`: the URL's scheme, or what answers there, is not git as we speak it
 * - `damaged`: the objects do not pass git's checks
 * - `occupied`: a push to a name that is a folder of another branch, or has one as a folder
 * - `tooLarge`: a push beyond a limit of the forge
 * - `refused`: a push that the forge's rules decline: protection, a hook
 * - `moved`: a push that came too late: the branch is no longer where it was seen
 * - `temporary`: everything else
 */
export type ForgeFailureKind = keyof typeof remedies;

/** What a forge said, and whether trying again can help. */
export interface ForgeFailure {
  kind: ForgeFailureKind;
  retryable: boolean;
  /** Its words, in one line; at most 800 characters. */
  words: string;
  /** Its words and what to change for a push; at most 1,024 characters. */
  message: string;
}

/** For whoever pushes; what a reader is told is in `git/repository-problem.ts`. */
const remedies = {
  credentials: 'set spec.repository.pushSecretRef of the Project to a Secret whose username and token it takes',
  forbidden: "give the Project's credentials the right to read and push, in the forge's settings",
  notFound: 'correct spec.repository.url of the Project, or give its credentials access',
  unknownHost: 'correct the host in spec.repository.url of the Project, or its name server',
  unsupported: 'use the https:// clone URL of the repository in spec.repository.url of the Project',
  damaged: 'repair the repository: git fsck there says what is wrong',
  occupied: 'delete or rename the branch that is in the way, on the forge',
  tooLarge: 'have the task produce less, or raise the limit of the forge',
  refused: 'let the credentials of the Project push branches ai/generated/** in the rules of the forge',
  moved: undefined,
  temporary: undefined,
} as const;

const retryable: ReadonlySet<ForgeFailureKind> = new Set(['unknownHost', 'moved', 'temporary']);

/**
 * What git prints (in the C locale). It has one exit code for everything, so the text is all there is; the first line that matches counts.
 * A forge that is ill often says so through a declined hook, so its illness is looked for before its refusals.
 */
const signs: readonly [ForgeFailureKind, RegExp][] = [
  ['occupied', /' exists; cannot create '|directory\/file conflict/],
  ['tooLarge', /exceeds (the )?maximum|exceeds github's file size limit|http 413/i],
  ['damaged', /fsck error|missing necessary objects/i],
  [
    'temporary',
    /internal server error|fatal error in commit_refs|internal api|api is not accessible|temporarily|rate limit/i,
  ],
  ['temporary', /remote failed to report status|unpacker error|(requested url returned error|http):? (408|429|5\d\d)/i],
  ['moved', /stale info|fetch first|cannot lock ref|reference already exists|incorrect old value|failed to update ref/],
  ['unknownHost', /could not resolve host|unable to look up/i],
  [
    'credentials',
    /authentication failed|could not read (username|password)|invalid credentials|host key verification/i,
  ],
  ['credentials', /permission denied \(|(requested url returned error|http):? 401/i],
  [
    'notFound',
    /repository .*(not found|does not exist|not exported)|no such repository|does not appear to be a git repository/i,
  ],
  ['notFound', /(requested url returned error|http):? (404|410)/i],
  [
    'unsupported',
    /transport '.*' not allowed|unable to find remote helper|service not enabled|is this a git repository\?/i,
  ],
  // Whatever else a forge says no to is its rule: it has looked at the push and reported on the branch.
  ['refused', /\[remote rejected\]|remote: error: gh\d+|protected branch|hook declined|push declined/i],
  ['forbidden', /(requested url returned error|http):? 403|access denied|permission (to .* )?denied|not authorized/i],
];

const MAX_WORDS = 800;

/** Lines that say why, without progress; the first lines win when there are too many. */
function essence(text: string): string {
  const lines = text
    .split(/[\n\r]/)
    .map((line) => line.trim())
    .filter(
      (line) => line !== '' && !/^(To |remote: *$|hint:|Enumerating|Counting|Compressing|Writing|Total )/.test(line),
    );
  const joined = lines.join('; ');
  return joined.length > MAX_WORDS ? `${joined.slice(0, MAX_WORDS - 1)}…` : joined;
}

/** Reads a failed git command that talked to a forge. `stdout` matters for `push --porcelain`. */
export function forgeFailure(error: GitError): ForgeFailure {
  const late = 'the forge did not answer in time';
  if (error.timedOut) return { kind: 'temporary', retryable: true, words: late, message: late };
  const said = `${error.stderr}\n${error.stdout}`;
  const kind = signs.find(([, sign]) => sign.test(said))?.[0] ?? 'temporary';
  const words = essence(said) || 'the forge gave no reason';
  const remedy = remedies[kind];
  return { kind, retryable: retryable.has(kind), words, message: remedy === undefined ? words : `${words}: ${remedy}` };
}
