import type { GrantMessage } from '@millwright/crds';
import type { Shell } from '../shell.ts';

/** What an engine works with: the checkout is in place, setup commands have run. */
interface EngineWork {
  commands: GrantMessage['commands'];
  /** Environment of the task's commands. */
  env: Readonly<Record<string, string>>;
  /** Relative to the workspace's folder. */
  checkout: string;
  shell: Shell;
  /** Tells people what happens. */
  progress(step: string, message?: string): void;
}

interface EngineResult {
  exitCode?: number;
  /** What was done, in at most 2048 characters. */
  summary?: string;
}

/**
 * Drives the work of one attempt. Changes in the checkout are its product; committing and reporting them is not its business.
 * Throws FailedError when the work failed, whose failure it classifies.
 */
export interface Engine {
  execute(work: EngineWork): Promise<EngineResult>;
}
