import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { recordFile } from './context.ts';
import { type DaemonRecord, fingerprint, isAlive, runningDaemon, startDaemon, stopDaemon } from './process/daemon.ts';
import { logTail } from './process/log-tail.ts';
import type { Context, Service } from './service.ts';

/** Some services did not come up. The message names each with its reason, its log and what to try. */
export class StartFailed extends Error {
  override readonly name = 'StartFailed';
  readonly services: readonly string[];

  constructor(failures: readonly { readonly service: string; readonly text: string }[]) {
    super(failures.map(({ text }) => text).join('\n\n'));
    this.services = failures.map(({ service }) => service);
  }
}

/** A service was not tried because one it depends on has failed. */
class DependencyFailed extends Error {
  override readonly name = 'DependencyFailed';
}

/**
 * Brings every service up, each as soon as what it depends on is ready. Running ones are left alone unless their configuration
 * has changed; dead ones are started again.
 *
 * @param toolReady resolves when the named Go tool has been built
 * @throws StartFailed after all the others have been brought up
 */
export async function startServices(
  ctx: Context,
  services: readonly Service[],
  toolReady: (tool: string) => Promise<void>,
): Promise<void> {
  const starts = new Map<string, Promise<void>>();
  for (const service of inOrder(services)) {
    const start = async () => {
      const dependencies = await Promise.allSettled((service.dependsOn ?? []).map((name) => starts.get(name)));
      if (dependencies.some(({ status }) => status === 'rejected')) throw new DependencyFailed();
      await Promise.all((service.tools ?? []).map(toolReady));
      await ctx.step(`Starting ${service.name}`, (report) =>
        bringUp(ctx, service, (reason) => report(undefined, reason)),
      );
    };
    starts.set(service.name, start());
  }
  const results = await Promise.allSettled(starts.values());
  const failures = [...starts.keys()].flatMap((name, index) => {
    const result = results[index];
    if (result?.status !== 'rejected' || result.reason instanceof DependencyFailed) return [];
    const service = services.find((candidate) => candidate.name === name);
    return service ? [{ service: name, text: describeFailure(ctx, service, result.reason) }] : [];
  });
  if (failures.length > 0) throw new StartFailed(failures);
}

/** Ends every service, each after those that depend on it. All are tried, whatever fails. */
export async function stopServices(ctx: Context, services: readonly Service[]): Promise<void> {
  const stops = new Map<string, Promise<void>>();
  for (const service of inOrder(services).reverse()) {
    const dependants = services.filter((other) => other.dependsOn?.includes(service.name));
    const stop = async () => {
      await Promise.allSettled(dependants.map(({ name }) => stops.get(name)));
      await ctx.step(`Ending ${service.name}`, () => takeDown(ctx, service));
    };
    stops.set(service.name, stop());
  }
  const results = await Promise.allSettled(stops.values());
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (reasons.length > 0) throw new AggregateError(reasons, `ending failed: ${reasons.map(String).join('; ')}`);
}

/** Dependencies before dependants. */
export function inOrder(services: readonly Service[]): Service[] {
  const ordered = new Set<Service>();
  const visit = (service: Service, path: readonly string[]) => {
    if (path.includes(service.name))
      throw new Error(`services depend on each other: ${[...path, service.name].join(' → ')}`);
    for (const name of service.dependsOn ?? []) {
      const dependency = services.find((candidate) => candidate.name === name);
      if (!dependency) throw new Error(`${service.name} depends on ${name}, which is not in the list of services`);
      visit(dependency, [...path, service.name]);
    }
    ordered.add(service);
  };
  for (const service of services) visit(service, []);
  return [...ordered];
}

async function bringUp(ctx: Context, service: Service, waiting: (reason: string) => void): Promise<void> {
  const file = recordFile(ctx, service.name);
  const launch = await service.prepare(ctx);
  let record = runningDaemon(file);
  if (record && record.fingerprint !== fingerprint(launch)) {
    await takeDown(ctx, service);
    record = undefined;
  }
  record ??= startDaemon(launch, file, ctx.logFile(service.name));
  await untilReady(ctx, service, record, waiting);
  await service.afterReady?.(ctx);
}

async function untilReady(
  ctx: Context,
  service: Service,
  record: DaemonRecord,
  waiting: (reason: string) => void,
): Promise<void> {
  const timeout = service.readyTimeoutSeconds ?? 60;
  const deadline = performance.now() + timeout * 1000;
  for (;;) {
    try {
      await service.ready(ctx);
      // The answer may have come from a stranger on the same port while ours could not bind it.
      if (isAlive(record)) return;
      throw new Error('something answers, but it is not the process that was started');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!isAlive(record)) throw new Error(`it ended while starting (${reason})`);
      if (performance.now() > deadline) throw new Error(`not ready after ${timeout} s: ${reason}`);
      waiting(reason.split('\n')[0] ?? '');
    }
    await delay(100);
  }
}

async function takeDown(ctx: Context, service: Service): Promise<void> {
  const file = recordFile(ctx, service.name);
  // Never started, or ended in an orderly way: there is nothing to clean up either.
  if (!existsSync(file)) return;
  if (service.beforeStop) {
    // What it left behind when it died can only be ended with its help.
    const record = runningDaemon(file) ?? startDaemon(await service.prepare(ctx), file, ctx.logFile(service.name));
    await untilReady(ctx, service, record, () => {});
    await service.beforeStop(ctx);
  }
  await stopDaemon(file, service.stop);
  await service.afterStop?.(ctx);
}

function describeFailure(ctx: Context, service: Service, reason: unknown): string {
  const log = ctx.logFile(service.name);
  const tail = logTail(log, 8);
  return [
    `${service.name} did not start: ${reason instanceof Error ? reason.message : String(reason)}`,
    `  log:    ${log}`,
    ...(tail ? tail.map((line) => `          ${line.slice(0, 240)}`) : []),
    `  remedy: ${service.remedy}`,
  ].join('\n');
}
