import { type Command, number, parse, text, UsageError } from './command.ts';
import { inBatches, namedFiles } from './files.ts';

const help = `Usage: millwright-core search [options] PATTERN [PATH…]

Indexes files and searches them, the best hits first. Of folders, and without PATH of this one, those are read that git does not ignore.

  -e, --regex        PATTERN is a regex in the syntax of Rust's regex crate
  -i, --any-case     letters match in both cases
  -w, --word         no hits within longer words
  -d, --definition   PATTERN is the name of a definition, or how it begins
  -C, --context N    lines shown around each hit (0)
  -g, --only GLOB    only paths that match from this folder on, such as **/*.ts; may be given several times
  --not GLOB         no paths that match; may be given several times
  --limit N          most hits (100)
  -c, --count        only numbers of hits and of files

Ends with 0 when there are hits and with 1 when there are none, as grep does.
`;

export const search: Command = {
  summary: 'search files by an index, the best hits first',
  help,
  run(terminal, args) {
    const { core, write } = terminal;
    const { values, positionals } = parse(args, {
      regex: { type: 'boolean', short: 'e' },
      'any-case': { type: 'boolean', short: 'i' },
      word: { type: 'boolean', short: 'w' },
      definition: { type: 'boolean', short: 'd' },
      context: { type: 'string', short: 'C' },
      only: { type: 'string', short: 'g', multiple: true },
      not: { type: 'string', multiple: true },
      limit: { type: 'string' },
      count: { type: 'boolean', short: 'c' },
    });
    const [pattern, ...paths] = positionals;
    if (pattern === undefined) throw new UsageError('search looks for a pattern: name one');
    const context = number('context', values.context, 0);
    const limit = number('limit', values.limit, 100);
    using index = core.createIndex();
    for (const batch of inBatches(namedFiles(terminal, paths))) index.put(batch);
    const filter = { only: values.only ?? [], not: values.not ?? [] };
    if (values.definition) {
      const { definitions, more } = index.definitions({ name: pattern, prefix: true, limit, ...filter });
      for (const { path, line, kind, name } of definitions) write(`${text(path)}:${line}: ${kind} ${text(name)}\n`);
      return told(definitions.length, more, limit);
    }
    const query = {
      pattern,
      regex: values.regex === true,
      anyCase: values['any-case'] === true,
      word: values.word === true,
      ...filter,
    };
    if (values.count) {
      const { hits, files } = index.count(query);
      write(`${hits} hits in ${files} files\n`);
      return hits === 0 ? 1 : 0;
    }
    const { hits, more } = index.search(query, { limit, before: context, behind: context });
    for (const { path, line, shown } of hits) {
      const lines = text(shown.text).replace(/\n$/, '').split('\n');
      for (const [at, each] of lines.entries())
        write(`${text(path)}${shown.line + at === line ? ':' : '-'}${shown.line + at}:${each}\n`);
      if (context > 0) write('--\n');
    }
    return told(hits.length, more, limit);
  },
};

/** The exit code, when all hits are written. */
function told(hits: number, more: boolean, limit: number): number {
  if (more) console.error(`There are more: --limit ${limit * 10} shows them.`);
  return hits === 0 ? 1 : 0;
}
