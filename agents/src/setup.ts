import { type FailureClass, reasons } from '@millwright/crds';
import { FailedError } from './errors.ts';
import { describeEnd, type Shell, succeeded } from './shell.ts';
import { lastLines } from './tail.ts';

export interface SetupOptions {
  commands: readonly string[];
  shell: Shell;
  checkout: string;
  env: Readonly<Record<string, string>>;
  /** Whose fault a failure is. */
  blame: FailureClass;
  progress(step: string, message?: string): void;
}

/**
 * Runs the project's setup commands in their order.
 * @throws FailedError SetupFailed at the first that fails
 */
export async function setUp({ commands, shell, checkout, env, blame, progress }: SetupOptions): Promise<void> {
  for (const [index, script] of commands.entries()) {
    progress('setup', `${index + 1}/${commands.length}: ${script}`.slice(0, 1024));
    const finished = await shell.run({ run: { script }, cwd: checkout, env });
    if (succeeded(finished)) continue;
    throw new FailedError({
      class: blame,
      reason: reasons.SetupFailed,
      message: describeEnd(`setup command ${index + 1} (${script})`, finished),
      exitCode: finished.exitCode,
      summary: lastLines(finished.tail, 2048),
    });
  }
}
