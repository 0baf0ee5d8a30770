import { spawn } from 'node:child_process';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** git's own daemon over a folder, which says why it refuses, as the local platform's does. Close it at the end. */
export async function startGitDaemon(folder: string): Promise<{ url: string; close(): Promise<void> }> {
  const args = ['daemon', '--inetd', '--informative-errors', '--export-all', `--base-path=${folder}`];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const child = spawn('git', args, { stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.on('error', () => {});
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `git://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
