import { reasons } from '@millwright/crds';
import { FailedError } from './errors.ts';
import { describeEnd, type Shell, succeeded } from './shell.ts';
import { lastLines } from './tail.ts';

interface Tests {
  passed: number;
  total: number;
}

export interface VerifyOptions {
  acceptance: readonly string[];
  shell: Shell;
  checkout: string;
  env: Readonly<Record<string, string>>;
  /** Called before the first and after each command, so that an interruption loses no count. */
  counted(tests: Tests): void;
  progress(step: string, message?: string): void;
}

/**
 * Runs every acceptance command, also after one has failed: the count tells how far the work is from done.
 * @throws FailedError TestsFailed, naming the first that failed
 */
export async function verify(options: VerifyOptions): Promise<string> {
  const { acceptance, shell, checkout, env, counted, progress } = options;
  let passed = 0;
  let failure: { message: string; exitCode: number; summary: string } | undefined;
  let last = '';
  counted({ passed, total: acceptance.length });
  for (const [index, script] of acceptance.entries()) {
    progress('verify', `${index + 1}/${acceptance.length}: ${script}`.slice(0, 1024));
    const finished = await shell.run({ run: { script }, cwd: checkout, env });
    last = lastLines(finished.tail, 2048);
    if (succeeded(finished)) passed += 1;
    else
      failure ??= {
        message: describeEnd(`acceptance command ${index + 1} (${script})`, finished),
        exitCode: finished.exitCode,
        summary: last,
      };
    counted({ passed, total: acceptance.length });
  }
  if (failure === undefined) return last;
  throw new FailedError({ class: 'verification', reason: reasons.TestsFailed, ...failure });
}
