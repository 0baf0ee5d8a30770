import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { recordFile } from './context.ts';
import { ensurePackages, MissingRequirement } from './debian.ts';
import { type Environment, environmentOf, writeEnvironment } from './env.ts';
import { readIfPresent, writeAtomically } from './files.ts';
import { withLock } from './lock.ts';
import { networkDown, networkPackages, networkUp } from './network.ts';
import { runningDaemon } from './process/daemon.ts';
import type { Context } from './service.ts';
import { commandLineTools, services } from './services.ts';
import { startServices, stopServices } from './supervisor.ts';
import { createToolBuilder } from './tools.ts';

/**
 * Brings the platform up, or makes sure that it is: packages, tools, network, then every service. Safe to call at any time and
 * from several processes.
 *
 * @throws MissingRequirement when the person has to do something first; StartFailed when services did not come up
 */
export async function up(ctx: Context): Promise<Environment> {
  if (process.platform !== 'linux')
    throw new MissingRequirement(`The local platform runs a real kubelet, which needs Linux. ${alternative}`);
  const packages = [...networkPackages, ...services.flatMap((service) => service.packages ?? [])];
  if (process.getuid?.() !== 0) {
    await ensurePackages(ctx, packages);
    throw new MissingRequirement(
      `The local platform runs a real kubelet, which needs root: try again as root. ${alternative}`,
    );
  }
  return withLock(ctx, async () => {
    claimMachine(ctx);
    const tools = new Set([...services.flatMap((service) => service.tools ?? []), ...commandLineTools]);
    const toolReady = createToolBuilder(ctx, tools);
    await ensurePackages(ctx, packages);
    await networkUp(ctx);
    await startServices(ctx, services, toolReady);
    await Promise.all([...tools].map(toolReady));
    const environment = environmentOf(ctx, commandLineTools);
    writeEnvironment(ctx, environment);
    return environment;
  });
}

const alternative = 'Or use a cluster you have: npm start -- --context NAME';

/** Addresses and sockets exist once, so a second checkout must not start its daemons over those of the first. */
function claimMachine(ctx: Context): void {
  const claim = join(ctx.runDir, 'state-folder');
  const owner = readIfPresent(claim);
  if (owner !== undefined && owner !== ctx.stateDir) {
    const running = services.filter(({ name }) => runningDaemon(recordFile({ stateDir: owner }, name)));
    if (running.length > 0) {
      throw new MissingRequirement(
        `The local platform of another checkout is running on this machine, with its state in ${owner}. Run \`npm run local -- down\` there first.`,
      );
    }
  }
  writeAtomically(claim, ctx.stateDir);
}

/** Ends what `up` started; data stays. */
export async function down(ctx: Context): Promise<void> {
  await withLock(ctx, async () => {
    await stopServices(ctx, services);
    await networkDown(ctx);
  });
}

/** Ends everything and deletes its data, logs, secrets and certificates. The caches stay. */
export async function reset(ctx: Context): Promise<void> {
  await down(ctx);
  rmSync(ctx.stateDir, { recursive: true, force: true });
  // containerd's volatile half, of no use without the other; the lock beside it is for all checkouts.
  rmSync(join(ctx.runDir, 'containerd'), { recursive: true, force: true });
}
