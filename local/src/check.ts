import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
  process.exitCode = (await checkAll(createContext())) ? 0 : 1;
}

/** Runs every step, whatever the others say, and prints what is wrong; true when nothing is. */
async function checkAll(ctx: Context): Promise<boolean> {
  const failed: string[] = [];
  for (const step of checkSteps) {
    try {
      await ctx.step(step.name, () => check(ctx, step));
    } catch (error) {
      const problem = error instanceof CommandError && error.output ? error.output : (error as Error).message;
      console.log(`${problem.trimEnd()}${step.remedy ? `\nRemedy: ${step.remedy}` : ''}`);
      failed.push(step.name);
    }
  }
  const sum = failed.length === 0 ? 'All passed' : `${failed.length} failed: ${failed.join(', ')}`;
  console.log(`${checkSteps.length} checks. ${sum}.`);
  return failed.length === 0;
}

/** @throws Error that says what is wrong */
async function check(ctx: Context, step: CheckStep): Promise<void> {
  const [command, ...args] = step.command;
  const before = step.changesNothing ? await workTree(ctx) : '';
  await run(command, args, { cwd: join(ctx.repository, step.cwd ?? ''), env: step.env ?? {} });
  if (!step.changesNothing) return;
  const after = await workTree(ctx);
  if (after !== before) throw new Error(await run('git', ['diff', '--stat', before, after], { cwd: ctx.repository }));
}

/** Identifies the content of the work tree, uncommitted and new files included: git's name of it as a tree. */
async function workTree(ctx: Context): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-check-'));
  try {
    // An index of its own leaves what the person has staged as it is.
    const options = { cwd: ctx.repository, env: { GIT_INDEX_FILE: join(folder, 'index') } };
    await run('git', ['add', '--all'], options);
    return (await run('git', ['write-tree'], options)).trim();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
