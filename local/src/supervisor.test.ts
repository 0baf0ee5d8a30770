import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createContext, recordFile } from './context.ts';
import { isAlive, runningDaemon } from './process/daemon.ts';
import type { Context, Service } from './service.ts';
import { inOrder, StartFailed, startServices, stopServices } from './supervisor.ts';

let folder: string;
let ctx: Context;
const started: Service[] = [];
const toolReady = () => Promise.resolve();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-supervisor-'));
  ctx = createContext(
    { MILLWRIGHT_LOCAL_DIR: folder, XDG_CACHE_HOME: join(folder, 'cache') },
    { say: () => {}, step: (_, work) => work(() => {}) },
  );
});
afterEach(async () => {
  await stopServices(ctx, started.splice(0));
  rmSync(folder, { recursive: true, force: true });
});

/** A daemon that runs a shell script, ready at once unless told otherwise. */
function daemon(name: string, script = 'exec sleep 600', more: Partial<Service> = {}): Service {
  return {
    name,
    remedy: `mend ${name}`,
    prepare: async () => ({ command: 'sh', args: ['-c', script] }),
    ready: async () => {},
    ...more,
  };
}

async function start(...services: Service[]): Promise<void> {
  started.push(...services.filter((service) => !started.some(({ name }) => name === service.name)));
  await startServices(ctx, services, toolReady);
}

const record = (name: string) => runningDaemon(recordFile(ctx, name));

describe('starting', () => {
  test('prepares a service only after what it depends on is ready and set up', async () => {
    const events: string[] = [];
    const first = daemon('first', undefined, {
      ready: async () => {
        events.push('first asked');
        if (events.length < 3) throw new Error('not yet');
      },
      afterReady: async () => void events.push('first set up'),
    });
    const second = daemon('second', undefined, {
      dependsOn: ['first'],
      prepare: async () => {
        events.push('second prepared');
        return { command: 'sleep', args: ['600'] };
      },
    });
    await start(second, first);
    expect(events).toEqual(['first asked', 'first asked', 'first asked', 'first set up', 'second prepared']);
  });

  test('leaves a running daemon alone', async () => {
    await start(daemon('one'));
    const before = record('one');
    await start(daemon('one'));
    expect(record('one')).toEqual(before);
  });

  test('starts a daemon again that has died', async () => {
    await start(daemon('one'));
    const before = record('one');
    if (!before) throw new Error('it was not started');
    process.kill(before.pid, 'SIGKILL');
    await expect.poll(() => isAlive(before)).toBe(false);
    await start(daemon('one'));
    expect(record('one')?.pid).not.toBe(before.pid);
  });

  test('restarts a daemon whose configuration has changed', async () => {
    await start(daemon('one'));
    const before = record('one');
    if (!before) throw new Error('it was not started');
    await start(daemon('one', 'exec sleep 601'));
    expect(isAlive(before)).toBe(false);
    expect(record('one')).toBeDefined();
  });

  test('names reason, log and remedy of what failed, brings the others up, and spares the dependants', async () => {
    let prepared = false;
    const broken = daemon('broken', 'echo this is why; exec sleep 600', {
      ready: async () => {
        const running = record('broken');
        if (running && readFileSync(ctx.logFile('broken'), 'utf8').includes('why')) process.kill(running.pid);
        throw new Error('no answer');
      },
    });
    const dependant = daemon('dependant', undefined, {
      dependsOn: ['broken'],
      prepare: async () => {
        prepared = true;
        return { command: 'sleep', args: ['600'] };
      },
    });
    const failure = await start(broken, dependant, daemon('other')).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StartFailed);
    const { message, services } = failure as StartFailed;
    expect(services).toEqual(['broken']);
    expect(message).toContain('it ended while starting (no answer)');
    expect(message).toContain(ctx.logFile('broken'));
    expect(message).toContain('this is why');
    expect(message).toContain('mend broken');
    expect(prepared).toBe(false);
    expect(record('other')).toBeDefined();
  });

  test('does not take a stranger who answers for the daemon that has ended', async () => {
    await expect(start(daemon('one', 'exit 0', { ready: () => untilDead('one') }))).rejects.toThrow('did not start');
  });

  test('gives up when the time is over', async () => {
    const never = daemon('never', undefined, {
      readyTimeoutSeconds: 0.2,
      ready: async () => {
        throw new Error('still loading');
      },
    });
    await expect(start(never)).rejects.toThrow('not ready after 0.2 s: still loading');
  });
});

/** A probe that says yes, but only once the daemon is gone. */
async function untilDead(name: string): Promise<void> {
  if (record(name)) throw new Error('it still runs');
}

describe('stopping', () => {
  test('ends dependants first, and children of the daemon with it', async () => {
    const events: string[] = [];
    const ended = (name: string): Partial<Service> => ({ afterStop: async () => void events.push(name) });
    const pidFile = join(folder, 'child');
    const script = `sleep 600 & echo $! > ${pidFile}; wait`;
    const below = daemon('below', script, {
      ...ended('below'),
      ready: async () => void readFileSync(pidFile),
    });
    const above = daemon('above', undefined, { dependsOn: ['below'], ...ended('above') });
    await start(below, above);
    const child = Number(readFileSync(pidFile, 'utf8'));
    await stopServices(ctx, [below, above]);
    expect(events).toEqual(['above', 'below']);
    await expect.poll(() => exists(child)).toBe(false);
  });

  test('kills what ignores the polite signal', async () => {
    const flag = join(folder, 'armed');
    const stubborn = daemon('stubborn', `trap '' TERM; touch ${flag}; while :; do sleep 0.1; done`, {
      stop: { timeoutSeconds: 0.2 },
      ready: async () => void readFileSync(flag),
    });
    await start(stubborn);
    const before = record('stubborn');
    await stopServices(ctx, [stubborn]);
    expect(before && isAlive(before)).toBe(false);
  });

  test('touches nothing that was never started', async () => {
    let asked = false;
    const never = daemon('never', undefined, {
      afterStop: async () => {
        asked = true;
      },
    });
    await stopServices(ctx, [never]);
    expect(asked).toBe(false);
  });

  test('starts a dead daemon once more when only it can clean up', async () => {
    let cleaned = false;
    const owner = daemon('owner', undefined, {
      beforeStop: async () => {
        cleaned = record('owner') !== undefined;
      },
    });
    await start(owner);
    const before = record('owner');
    if (!before) throw new Error('it was not started');
    process.kill(before.pid, 'SIGKILL');
    await expect.poll(() => isAlive(before)).toBe(false);
    await stopServices(ctx, [owner]);
    expect(cleaned).toBe(true);
    expect(record('owner')).toBeUndefined();
  });
});

function exists(pid: number): boolean {
  try {
    // An orphan stays a zombie where the first process of the machine reaps nobody; that is ended as well.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('the order of services', () => {
  const names = (services: Service[]) => inOrder(services).map(({ name }) => name);

  test('puts dependencies first and keeps the rest as listed', () => {
    expect(names([daemon('c', '', { dependsOn: ['a'] }), daemon('b'), daemon('a')])).toEqual(['a', 'c', 'b']);
  });
  test('spells out a cycle', () => {
    const cycle = [daemon('a', '', { dependsOn: ['b'] }), daemon('b', '', { dependsOn: ['a'] })];
    expect(() => inOrder(cycle)).toThrow('a → b → a');
  });
  test('names an unknown dependency', () => {
    expect(() => inOrder([daemon('a', '', { dependsOn: ['x'] })])).toThrow('a depends on x');
  });
});
