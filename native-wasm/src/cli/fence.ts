import type { PathClass, PathPolicy } from '../paths.ts';
import { type Command, parse, text, UsageError } from './command.ts';
import { Repository } from './git.ts';

const help = `Usage: millwright-core fence [options] BASE [HEAD]

Judges the change from one revision of the repository here to another (HEAD) by its paths: names that some file system takes for others, symlinks that
lead out, what guards the repository or instructs agents. The change begins where HEAD parted from BASE: what BASE gained since is no part of it.

  --allow GLOB             paths that may change; of several, the last that matches decides
  --deny GLOB              paths that may not, whatever is allowed
  --class NAME=VERDICT     what to do about a class of files: allow, report or deny; may be given several times.
                           ci, ownership, hooks, agent-instructions, git-settings, lockfile, manifest, migration,
                           test, build, submodule, link, executable
  --json                   the report as JSON
`;

export const fence: Command = {
  summary: 'judge a change by its paths',
  help,
  run({ core, cwd, write }, args) {
    const { values, positionals } = parse(args, {
      allow: { type: 'string', multiple: true },
      deny: { type: 'string', multiple: true },
      class: { type: 'string', multiple: true },
      json: { type: 'boolean' },
    });
    const [base, head = 'HEAD', ...rest] = positionals;
    if (base === undefined || rest.length > 0)
      throw new UsageError('fence compares two revisions: name the base, and the head if it is not HEAD');
    const repository = new Repository(cwd);
    const before = repository.listing(repository.resolveBase(base, head));
    const after = repository.listing(repository.resolve(head));
    const policy: PathPolicy = {
      ...(values.allow ? { allow: values.allow } : {}),
      ...(values.deny ? { deny: values.deny } : {}),
      classes: Object.fromEntries((values.class ?? []).map(readClass)),
    };
    const { paths, findings } = core.judgePaths(before, after, policy);
    const reported = paths.filter(({ classes }) => classes.length > 0);
    if (values.json) {
      const shown = reported.map(({ path, change, classes }) => ({ path: text(path), change, classes }));
      write(`${JSON.stringify({ findings, reported: shown }, undefined, 2)}\n`);
    } else {
      for (const { message } of findings) write(`${message}\n`);
      for (const { path, change, classes } of reported) write(`${text(path)}: ${change}: ${classes.join(', ')}\n`);
      console.error(`${paths.length} paths changed: ${findings.length} violations, ${reported.length} to look at`);
    }
    return findings.length === 0 ? 0 : 1;
  },
};

function readClass(option: string): [PathClass, 'allow' | 'report' | 'deny'] {
  const [name, verdict] = option.split('=');
  if (!name || (verdict !== 'allow' && verdict !== 'report' && verdict !== 'deny'))
    throw new UsageError(`--class is NAME=allow, NAME=report or NAME=deny, not "${option}"`);
  return [name as PathClass, verdict];
}
