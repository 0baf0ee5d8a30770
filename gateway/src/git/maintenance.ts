import type { Logger } from '@millwright/otel';
import { git } from '../shared/git-command.ts';
import type { ArtifactStore } from './artifacts.ts';
import type { Bundles } from './bundles.ts';
import type { Mirrors } from './mirrors.ts';

export interface MaintenanceOptions {
  mirrors: Mirrors;
  bundles: Bundles;
  artifacts: ArtifactStore;
  retentionMs: number;
  log: Logger;
  onExpired: (kind: 'ref' | 'artifact', count: number) => void;
}

/** Removes what is older than the retention and packs the mirrors, one after the other. Errors are logged: the rest goes on. */
export async function maintain(options: MaintenanceOptions, now: number): Promise<void> {
  const { bundles, log } = options;
  const before = now - options.retentionMs;
  for (const key of await bundles.projects()) {
    try {
      await options.mirrors.maintain(key, async (path) => {
        const expired = await bundles.expire(key, before);
        for (const ref of expired) await git(['update-ref', '-d', ref], { cwd: path });
        if (expired.length > 0) log.info('expired', { ...key, refs: expired.length });
        options.onExpired('ref', expired.length);
        // Nothing has started from it for as long: the Project is gone, or its next Workflow makes the mirror again.
        if (await bundles.forget(key)) {
          log.info('mirror removed', { ...key });
          return 'remove';
        }
        // Objects younger than git's two weeks stay, so that a push under way loses nothing.
        await git(['gc', '--auto', '--quiet'], { cwd: path, config: [['gc.auto', '2000']], timeoutMs: 30 * 60_000 });
        return 'keep';
      });
    } catch (error) {
      log.error('maintenance of a mirror failed', { ...key, error });
    }
  }
  options.onExpired('artifact', await options.artifacts.expire(before));
}

/** Runs maintenance every `intervalMs`, never twice at once; returns what stops it after the current run. */
export function repeatMaintenance(options: MaintenanceOptions, intervalMs: number): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    running = maintain(options, Date.now())
      .catch((error: unknown) => options.log.error('maintenance failed', { error }))
      .finally(() => {
        busy = false;
      });
  }, intervalMs);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
