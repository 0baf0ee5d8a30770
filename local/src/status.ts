import { recordFile } from './context.ts';
import { runningDaemon } from './process/daemon.ts';
import { type Component, components } from './release.ts';
import type { Context, Service } from './service.ts';
import { apiserver } from './services/apiserver.ts';
import { services } from './services.ts';
import { inOrder } from './supervisor.ts';

/** One daemon of the local platform, or one of Millwright's own processes that is installed on it. */
export interface PartStatus {
  /** As `logs` takes it. */
  readonly part: string;
  readonly state: 'healthy' | 'unhealthy' | 'down';
  /** Why it is not healthy, since when it runs, or how many of its pods are ready. */
  readonly detail: string;
  /** While it can be reached: URL without credentials → what answers there. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Of a daemon: its process and the file with its output. */
  readonly pid?: number;
  readonly log?: string;
}

/** Looks at every daemon once, and at what is installed of Millwright itself. */
export async function status(ctx: Context): Promise<PartStatus[]> {
  const daemons = await Promise.all(inOrder(services).map((service) => statusOf(ctx, service)));
  const reachable = daemons.some(({ part, state }) => part === apiserver.name && state === 'healthy');
  return reachable ? [...daemons, ...(await installed(ctx))] : daemons;
}

async function installed(ctx: Context): Promise<PartStatus[]> {
  try {
    return (await components(ctx)).map(statusOfComponent);
  } catch (error) {
    // It may go away between two questions: the rest is worth to be known all the same.
    const log = ctx.logFile(apiserver.name);
    return [{ part: 'millwright', state: 'unhealthy', detail: String(error), addresses: {}, log }];
  }
}

async function statusOf(ctx: Context, service: Service): Promise<PartStatus> {
  const common = { part: service.name, addresses: {}, log: ctx.logFile(service.name) };
  const record = runningDaemon(recordFile(ctx, service.name));
  if (!record) return { ...common, state: 'down', detail: 'not running' };
  const { pid, startedAt } = record;
  try {
    await service.ready(ctx);
    const addresses = Object.fromEntries(
      Object.entries(service.addresses?.(ctx) ?? {}).map(([url, what]) => [withoutCredentials(url), what]),
    );
    return { ...common, addresses, state: 'healthy', detail: `since ${startedAt}`, pid };
  } catch (error) {
    return { ...common, state: 'unhealthy', detail: error instanceof Error ? error.message : String(error), pid };
  }
}

function statusOfComponent({ name, wanted, ready, url }: Component): PartStatus {
  return {
    part: name,
    state: ready < wanted ? 'unhealthy' : wanted === 0 ? 'down' : 'healthy',
    detail: `${ready} of ${wanted} pods ready`,
    addresses: url === undefined || ready === 0 ? {} : { [url]: "Millwright's API" },
  };
}

function withoutCredentials(url: string): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href.replace(/\/$/, '');
}

/** A table for people: part, state, addresses; of one that is not healthy, why, and where its log is. */
export function statusTable(all: readonly PartStatus[]): string {
  const width = Math.max(...all.map(({ part }) => part.length));
  const urlWidth = Math.max(0, ...all.flatMap(({ addresses }) => Object.keys(addresses)).map((url) => url.length));
  const row = (part: string, state: string, rest: string) =>
    `${part.padEnd(width)}  ${state.padEnd(9)}  ${rest}`.trimEnd();
  const rows = all.flatMap(({ part, state, detail, addresses, log }) => {
    const shown = Object.entries(addresses).map(([url, what]) => `${url.padEnd(urlWidth)}  ${what}`);
    if (state !== 'healthy')
      shown.unshift(detail.split('\n')[0]?.slice(0, 160) ?? '', `log: ${log ?? `npm run local -- logs ${part}`}`);
    const [first = '', ...more] = shown;
    return [row(part, state, first), ...more.map((line) => row('', '', line))];
  });
  return [row('PART', 'STATE', 'ADDRESS'), ...rows].join('\n');
}
