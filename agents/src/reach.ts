import { connect } from 'node:net';

/** How the first packet to a server fared: `silent` when nothing came back, which a retry may well cure. */
type Reached = 'answered' | 'refused' | 'silent';

/** Opens a TCP connection to the server of a URL and closes it again. */
export function reach(url: string, timeoutMs: number): Promise<Reached> {
  const { protocol, hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(port) || (protocol === 'https:' ? 443 : 80) });
    const timer = setTimeout(() => end('silent'), timeoutMs);
    const end = (how: Reached) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(how);
    };
    socket.once('connect', () => end('answered'));
    socket.once('error', () => end('refused'));
  });
}
