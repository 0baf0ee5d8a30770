import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type CheckStep, checkSteps } from './check-steps.ts';
import { createContext } from './context.ts';
import { CommandError, run } from './process/run.ts';
import type { Context } from './service.ts';

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } });
if (values.help) {
  console.log(
    `Usage: npm run check\n\nRuns all of:\n${checkSteps.map(({ name, command }) => `  ${name}: ${command.join(' ')}`).join('\n')}`,
  );
} else {
  const ctx = createContext();
  let failed = 0;
  for (const step of checkSteps) {
    if (step.when && !existsSync(join(ctx.repository, step.when))) continue;
    const problem = await ctx.step(step.name, () => check(ctx, step));
    if (problem === undefined) {
      console.log(`✓ ${step.name}`);
      continue;
    }
    failed++;
    console.log(`✗ ${step.name}\n${problem}${step.remedy ? `\nRemedy: ${step.remedy}` : ''}`);
  }
  console.log(failed === 0 ? 'All checks passed.' : `${failed} checks failed.`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** What is wrong, or undefined. */
async function check(ctx: Context, step: CheckStep): Promise<string | undefined> {
  const [command, ...args] = step.command;
  const before = step.changesNothing ? await workTree(ctx) : '';
  try {
    await run(command, args, { cwd: join(ctx.repository, step.cwd ?? '') });
  } catch (error) {
    return error instanceof CommandError ? error.output.trimEnd() || error.message : String(error);
  }
  if (step.changesNothing && (await workTree(ctx)) !== before) {
    return run('git', ['status', '--short'], { cwd: ctx.repository });
  }
  return undefined;
}

/** Identifies the content of the work tree, changes that are not committed included. */
async function workTree(ctx: Context): Promise<string> {
  const git = (...args: string[]) => run('git', args, { cwd: ctx.repository });
  const fresh = await git('ls-files', '--others', '--exclude-standard', '-z');
  const hashes = await run('git', ['hash-object', '--stdin-paths'], {
    cwd: ctx.repository,
    input: fresh.split('\0').filter(Boolean).join('\n'),
  });
  return createHash('sha256')
    .update(await git('diff', 'HEAD'))
    .update(fresh)
    .update(hashes)
    .digest('hex');
}
