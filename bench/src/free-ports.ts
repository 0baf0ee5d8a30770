import { once } from 'node:events';
import { createServer } from 'node:net';

/** Temporal keeps its ports in a signed 16-bit column, and what lies above is given to outgoing connections at any time. */
const RANGE = { from: 20_000, to: 32_767 };

/** Different ports of an address that nobody listens on at the moment, below 32768. */
export async function freePorts(host: string, count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = RANGE.from + Math.floor(Math.random() * (RANGE.to - RANGE.from + 1));
    if (await isFree(host, port)) found.add(port);
  }
  return [...found];
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
