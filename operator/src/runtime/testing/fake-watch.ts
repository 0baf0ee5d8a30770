import type { ServerResponse } from 'node:http';
import type { FakeApiServer, HistoryEntry } from './fake-api-server.ts';

/** What goes wrong with a line of a watch. */
export type LineFault = 'drop' | 'duplicate' | 'truncate' | 'replay' | 'garbage' | 'expired' | 'error' | 'cut' | 'end';

export interface WatchFaults {
  /** Asked for each event; undefined delivers it. */
  line?: ((entry: HistoryEntry) => LineFault | undefined) | undefined;
  /** Milliseconds before each line. */
  delayMs?: () => number;
  /** Accepts watches and never says anything. */
  silent?: boolean;
}

export interface Watcher {
  push(entry: HistoryEntry): void;
  /** Sends a bookmark. */
  bookmark(version: number): void;
  end(): void;
}

/** Answers a watch from `since`: history first, then what comes. */
export function openWatch(fake: FakeApiServer, response: ServerResponse, since: number): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  let chain = Promise.resolve();
  const write = (text: string) => {
    const delay = fake.watchFaults.delayMs?.() ?? 0;
    chain = chain.then(async () => {
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      if (!response.destroyed && !response.writableEnded) response.write(text);
    });
  };
  const line = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;
  const finish = (how: () => void) => {
    fake.watchers.delete(watcher);
    chain = chain.then(how);
  };
  const status = (code: number, reason: string) => line('ERROR', { kind: 'Status', code, reason, message: reason });

  function misdeliver(fault: LineFault, entry: HistoryEntry, text: string): void {
    if (fault === 'cut') finish(() => response.destroy());
    else if (fault === 'end') finish(() => response.end());
    else if (fault === 'garbage') write('{"type":"MODIFIED","object":\n');
    else if (fault === 'duplicate') write(text + text);
    else if (fault === 'replay') {
      const earlier = fake.history.filter(({ version }) => version < entry.version).slice(-5);
      write(text + earlier.map((old) => line(old.type, old.object)).join(''));
    } else if (fault !== 'drop') {
      if (fault === 'truncate') write(text.slice(0, Math.floor(text.length / 2)));
      else write(fault === 'expired' ? status(410, 'Expired') : status(500, 'InternalError'));
      finish(() => response.end());
    }
  }

  const watcher: Watcher = {
    push: (entry) => {
      if (fake.watchFaults.silent) return;
      const text = line(entry.type, entry.object);
      const fault = fake.watchFaults.line?.(entry);
      if (fault === undefined) write(text);
      else misdeliver(fault, entry, text);
    },
    bookmark: (version) =>
      write(line('BOOKMARK', { metadata: { resourceVersion: String(version), creationTimestamp: null } })),
    end: () => finish(() => response.end()),
  };
  response.on('close', () => fake.watchers.delete(watcher));
  fake.watchers.add(watcher);
  for (const entry of fake.history) if (entry.version > since && fake.watchers.has(watcher)) watcher.push(entry);
}

export function closeWatchers(watchers: Set<Watcher>): void {
  for (const watcher of [...watchers]) watcher.end();
}
