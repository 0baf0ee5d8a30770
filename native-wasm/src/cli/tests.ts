import type { WeakeningKind } from '../weakening.ts';
import { type Command, parse, text, UsageError } from './command.ts';
import { bytesOf, readInput } from './files.ts';
import { Repository } from './git.ts';

const help = `Usage: millwright-core tests [options] BASE [HEAD]
       millwright-core tests [options] --patch PATCH

Finds what in a change weakens the tests: tests that are deleted or skipped, assertions that are removed or loosened. The change
begins where HEAD parted from BASE: what BASE gained since is no part of it. With a patch alone, which is a file or - for standard input, less is certain.

  --json    one JSON object per line
`;

interface Found {
  path: string;
  side: 'before' | 'after';
  line: number;
  kind: WeakeningKind;
  confidence: 'low' | 'medium' | 'high';
  message: string;
}

export const tests: Command = {
  summary: 'find what in a change weakens the tests',
  help,
  run({ core, cwd, write, read }, args) {
    const { values, positionals } = parse(args, { patch: { type: 'string' }, json: { type: 'boolean' } });
    const [base, head = 'HEAD', ...rest] = positionals;
    const usesPatch = values.patch !== undefined;
    if (usesPatch ? base !== undefined : base === undefined || rest.length > 0)
      throw new UsageError('tests checks a change: name the base, and the head if it is not HEAD, or --patch PATCH');
    const findings: Found[] = [];
    if (usesPatch) {
      const patch = readInput(cwd, values.patch ?? '-', read);
      const names = core.readPatch(patch).map(({ newPath, oldPath }) => text(newPath ?? oldPath ?? new Uint8Array()));
      for (const { file, hunk, offset, ...found } of core.checkPatchWeakening(patch))
        findings.push({ path: names[file] ?? '', ...found });
    } else {
      const repository = new Repository(cwd);
      const changed = repository.changes(repository.resolveBase(base ?? '', head), repository.resolve(head));
      const files = new Map<string, { path: Uint8Array; before?: Uint8Array; after?: Uint8Array }>();
      for (const side of ['before', 'after'] as const)
        for (const { path, contents } of changed[side]) {
          const name = Buffer.from(path);
          const key = name.toString('latin1');
          files.set(key, { ...files.get(key), path: name, [side]: bytesOf(contents) });
        }
      const all = [...files.values()].map(({ path, before, after }) => ({ path, before, after }));
      for (const { file, start, end, ...found } of core.checkWeakening(all))
        findings.push({ path: text(all[file]?.path ?? new Uint8Array()), ...found });
    }
    for (const finding of findings) {
      const { path, side, line, kind, confidence, message } = finding;
      if (values.json) write(`${JSON.stringify(finding)}\n`);
      else write(`${path}:${line}${side === 'before' ? ' (before)' : ''}: ${kind} (${confidence}): ${message}\n`);
    }
    return findings.length === 0 ? 0 : 1;
  },
};
