import { type Command, parse, text } from './command.ts';
import { inBatches, namedFiles } from './files.ts';

const help = `Usage: millwright-core scan [options] [PATH…]

Finds secrets in files. Of folders, and without PATH of this one, those are read that git does not ignore, and symlinks in them are not followed.

  --all        also what is only suspect, such as examples and secrets whose checksum is wrong
  --no-allow   comments that allow a secret in their line do not count
  --json       one JSON object per line
`;

export const scan: Command = {
  summary: 'find secrets in files',
  help,
  run(terminal, args) {
    const { core, write } = terminal;
    const { values, positionals } = parse(args, {
      all: { type: 'boolean' },
      'no-allow': { type: 'boolean' },
      json: { type: 'boolean' },
    });
    let count = 0;
    for (const batch of inBatches(namedFiles(terminal, positionals))) {
      const found = core.scanSecrets(batch, { allowComments: !values['no-allow'] });
      for (const [at, findings] of found.entries()) {
        const path = text(batch[at]?.path ?? new Uint8Array());
        for (const finding of findings) {
          if (finding.severity === 'suspect' && !values.all) continue;
          count += 1;
          const { line, column, severity, rule, preview } = finding;
          if (values.json) write(`${JSON.stringify({ path, ...finding })}\n`);
          else write(`${path}:${line}:${column}: ${severity}: ${rule} ${preview}\n`);
        }
      }
    }
    return count === 0 ? 0 : 1;
  },
};
