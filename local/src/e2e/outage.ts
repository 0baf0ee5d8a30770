import { withLock } from '../lock.ts';
import type { Context, Service } from '../service.ts';
import { services } from '../services.ts';
import { startServices, stopServices } from '../supervisor.ts';

/**
 * Runs `during` while some daemons of the local platform are away, and brings them back whatever happens. Nobody else can start them
 * meanwhile.
 *
 * @param names as `npm run local -- status` lists them
 * @param how `kill` leaves them no time to say goodbye
 */
export async function withoutServices<T>(
  ctx: Context,
  names: readonly string[],
  how: 'stop' | 'kill',
  during: () => Promise<T>,
): Promise<T> {
  const chosen = services
    .filter(({ name }) => names.includes(name))
    .map((service): Service => {
      // What stays up is ready already.
      const dependsOn = (service.dependsOn ?? []).filter((name) => names.includes(name));
      return { ...service, dependsOn, ...(how === 'kill' ? { stop: { signal: 'SIGKILL' } } : {}) };
    });
  if (chosen.length !== names.length) throw new Error(`not all of ${names.join(', ')} are services`);
  return withLock(ctx, async () => {
    await stopServices(ctx, chosen);
    try {
      return await during();
    } finally {
      await startServices(ctx, chosen, async () => {});
    }
  });
}
