import { GitError, git } from '../shared/git-command.ts';

/** Characters and sequences that no branch or tag has (git-check-ref-format), and `@{`, which would ask for more than a name. */
const impossible = /^[-/.]|[\s~^:?*[\\]|\.\.|\/\/|@\{|\.lock(\/|$)|[/.]$/;

/**
 * The commit that a branch, a tag, or a hash of at least 7 digits names in a repository, in this order; undefined when there is none.
 * Nothing else of git's revision syntax is understood, since the text comes from a manifest.
 */
export async function resolveRevision(repository: string, revision: string): Promise<string | undefined> {
  if (revision === '' || impossible.test(revision) || [...revision].some((char) => char < ' ' || char === '\x7f'))
    return undefined;
  const name = revision.replace(/^refs\/(heads|tags)\//, '');
  const candidates = [`refs/heads/${name}`, `refs/tags/${name}`];
  if (/^[0-9a-f]{7,64}$/.test(revision)) candidates.push(revision);
  for (const candidate of candidates) {
    try {
      const out = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${candidate}^{commit}`], {
        cwd: repository,
      });
      return out.trim();
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
    }
  }
  return undefined;
}
