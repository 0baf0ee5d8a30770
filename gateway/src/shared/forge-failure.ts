import type { GitError } from './git-command.ts';

/** What a forge said when it refused or failed, and whether trying again can help. */
export interface ForgeFailure {
  retryable: boolean;
  message: string;
}

/**
 * What git prints (in the C locale) when asking again cannot help. git has one exit code for everything, so the text is all there is;
 * whatever is not listed counts as temporary and is tried again.
 */
const permanent = [
  /authentication failed/i,
  /could not read (username|password)/i,
  /invalid credentials|access denied|permission denied|not authorized/i,
  /repository .*(not found|does not exist|not exported)/i,
  /does not appear to be a git repository/i,
  /the requested url returned error: (401|403|404)/i,
  /access denied or repository not exported/i,
  /host key verification failed/i,
  /transport '.*' not allowed/i,
  /unable to find remote helper/i,
  /(hook|protected branch|branch rule|ruleset) .*(declined|rejected|refused|violation)/i,
  /protected branch|pre-receive hook declined|hook declined|push declined|\bdeny/i,
  /remote: error: gh\d+/i,
  /fsck error|missing necessary objects/i,
  /service not enabled/i,
];

const MAX_MESSAGE = 900;

/** Lines that say why, without progress; the first lines win when there are too many. */
function essence(text: string): string {
  const lines = text
    .split(/[\n\r]/)
    .map((line) => line.trim())
    .filter(
      (line) => line !== '' && !/^(To |remote: *$|hint:|Enumerating|Counting|Compressing|Writing|Total )/.test(line),
    );
  const joined = lines.join('; ');
  return joined.length > MAX_MESSAGE ? `${joined.slice(0, MAX_MESSAGE - 1)}…` : joined;
}

/** Reads a failed git command that talked to a forge. `stdout` matters for `push --porcelain`. */
export function forgeFailure(error: GitError): ForgeFailure {
  const said = `${error.stderr}\n${error.stdout}`;
  const message = error.timedOut ? 'the forge did not answer in time' : essence(said) || 'the forge gave no reason';
  return { retryable: error.timedOut || !permanent.some((pattern) => pattern.test(said)), message };
}
