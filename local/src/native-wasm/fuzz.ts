import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { createContext } from '../context.ts';
import { CommandError, run } from '../process/run.ts';
import type { Context } from '../service.ts';
import { cargoTool } from './cargo-tools.ts';
import { seeds } from './fuzz-seeds.ts';

/** cargo-fuzz needs a compiler that can count what code runs. */
const TOOLCHAIN = 'nightly';

/** What counts as a finding besides a panic. */
const limits = ['-timeout=10', '-rss_limit_mb=2048', '-malloc_limit_mb=1024'];

const help = `Usage: npm run fuzz -- <target> [--minutes 10]

Looks for inputs that break a law of native-wasm/laws, and begins with this repository's own files. Needs rustup.
Targets: all, or those in native-wasm/fuzz/targets. docs/fuzzing.md says more.

  --minutes <number>  how long for each target (10)
  -h, --help          this text`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', short: 'h' }, minutes: { type: 'string', default: '10' } },
});
const seconds = Math.round(Number(values.minutes) * 60);
if (values.help) console.log(help);
else if (positionals.length !== 1 || !(seconds > 0)) {
  console.error(help);
  process.exitCode = 2;
} else
  await fuzz(createContext(), positionals[0] ?? '').catch((error: Error) => {
    console.error(error instanceof CommandError ? error.output : error.message);
    process.exitCode = 1;
  });

async function fuzz(ctx: Context, wanted: string): Promise<void> {
  const inputs = seeds(ctx.repository);
  const targets = Object.keys(inputs).filter((target) => wanted === 'all' || target === wanted);
  if (targets.length === 0)
    throw new Error(`There is no target ${wanted}: take one of ${Object.keys(inputs).join(', ')}, or all.`);
  const cwd = join(ctx.repository, 'native-wasm');
  const env = { PATH: [dirname(await cargoTool(ctx, 'cargo-fuzz')), process.env.PATH].join(delimiter) };
  if (!(await run('rustup', ['toolchain', 'list'])).includes(TOOLCHAIN))
    await run('rustup', ['toolchain', 'install', TOOLCHAIN, '--profile', 'minimal']);
  const cargoFuzz = (args: readonly string[], onLine?: (line: string) => void) =>
    run('cargo', [`+${TOOLCHAIN}`, 'fuzz', ...args], { cwd, env, ...(onLine ? { onLine } : {}) });
  await ctx.step('Building the targets', () => cargoFuzz(['build']), 300);
  for (const target of targets) {
    const corpus = join(cwd, 'fuzz/corpus', target);
    mkdirSync(corpus, { recursive: true });
    for (const seed of inputs[target] ?? [])
      writeFileSync(join(corpus, createHash('sha256').update(seed).digest('hex').slice(0, 40)), seed);
    let last = '';
    const args = ['run', target, corpus, '--', `-max_total_time=${seconds}`, '-print_final_stats=1', ...limits];
    await ctx.step(
      `Fuzzing ${target}`,
      (report) =>
        cargoFuzz(args, (line) => {
          if (/^#\d+.* cov: /.test(line)) last = line;
          report(undefined, line);
        }),
      seconds,
    );
    ctx.say(`${target}: ${last}`);
  }
}
