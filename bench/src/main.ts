import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Context, createContext, type Environment, MissingRequirement, StartFailed, up } from '@millwright/local';
import { connectKube } from '@millwright/operator/runtime';
import { applyDefinitions } from '@millwright/operator/testing';
import { runBench } from './bench.ts';
import { createCleanup } from './cleanup.ts';
import { pauseInstalledOperators } from './installed.ts';
import { type BenchOptions, help, parseOptions, UsageError } from './options.ts';
import { table } from './report.ts';

const cleanup = createCleanup();
let interrupted = false;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(help);
    return 0;
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  try {
    return await bench(options);
  } finally {
    if (!interrupted) await cleanup[Symbol.asyncDispose]();
  }
}

async function bench(options: BenchOptions): Promise<number> {
  const ctx = createContext();
  let environment: Promise<Environment> | undefined;
  const platform = () => (environment ??= bringUp(ctx));
  const { measures, failures } = await runBench(ctx, platform, options, cleanup);
  const output = options.output ?? join(ctx.stateDir, 'bench.jsonl');
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, measures.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  console.log(`\n${table(measures)}\n\n${output}`);
  for (const { group, error } of failures) console.error(`\n${group} could not be measured:`, ...causesOf(error));
  return failures.length === 0 && measures.every(({ pass }) => pass) ? 0 : 1;
}

/** The local platform, without the operators that are installed on it. */
async function bringUp(ctx: Context): Promise<Environment> {
  const environment = await up(ctx);
  const kube = await connectKube({ kubeconfig: environment.kubeconfig });
  cleanup.add(() => kube.close());
  await applyDefinitions(kube);
  const paused = await ctx.step('Pausing installed operators', () => pauseInstalledOperators(kube, cleanup));
  if (paused.length > 0) ctx.say(`  Paused until the end: ${paused.join(', ')}`);
  return environment;
}

/** What went wrong, and then what went wrong while cleaning up: Node prints neither of a suppressed error. */
function causesOf(error: unknown): unknown[] {
  return error instanceof SuppressedError ? [...causesOf(error.suppressed), ...causesOf(error.error)] : [error];
}

/** Removes everything at the first signal; a second one is for those who cannot wait. */
function interrupt(): void {
  if (interrupted) process.exit(130);
  interrupted = true;
  console.error('\nRemoving what was made; once more to leave it behind');
  cleanup[Symbol.asyncDispose]().then(
    () => process.exit(130),
    (error: unknown) => {
      console.error(error);
      process.exit(130);
    },
  );
}

try {
  process.exitCode = await main();
} catch (error) {
  const usage = error instanceof UsageError;
  const expected = usage || error instanceof StartFailed || error instanceof MissingRequirement;
  if (!interrupted) {
    console.error(usage ? `${error.message}\n\n${help}` : expected ? (error as Error).message : error);
    process.exitCode = usage ? 2 : 1;
  }
}
