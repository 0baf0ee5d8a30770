import { type Command, CommandError, parse, text, UsageError } from './command.ts';
import { inBatches, namedFiles } from './files.ts';

const help = `Usage: millwright-core outline PATH…

Lists what files define, with the lines from the name to the end. JavaScript, TypeScript, Python, Go, Rust and Java are known.
`;

export const outline: Command = {
  summary: 'list what files define',
  help,
  run(terminal, args) {
    const { positionals } = parse(args, {});
    if (positionals.length === 0) throw new UsageError('outline reads files: name files or folders');
    let known = 0;
    for (const batch of inBatches(namedFiles(terminal, positionals)))
      for (const [at, entries] of terminal.core.outlineTexts(batch).entries()) {
        known += entries ? 1 : 0;
        const depths: number[] = [];
        const path = text(batch[at]?.path ?? new Uint8Array());
        for (const { name, kind, line, lastLine, parent } of entries ?? []) {
          const depth = parent === undefined ? 0 : (depths[parent] ?? 0) + 1;
          depths.push(depth);
          terminal.write(`${path}:${line}-${lastLine}: ${'  '.repeat(depth)}${kind} ${text(name)}\n`);
        }
      }
    if (known === 0) throw new CommandError('none of these files is in a language that is known');
    return 0;
  },
};
