import { join } from 'node:path';
import { run } from '../process/run.ts';
import type { Context } from '../service.ts';

/** The socket of the platform's own containerd; Debian's, if there is one, is left alone. */
export function containerdSocket(ctx: Context): string {
  return join(ctx.runDir, 'containerd.sock');
}

/** Runs `ctr` against the platform's containerd, in the namespace whose images and containers the kubelet sees. */
export function ctr(
  ctx: Context,
  args: readonly string[],
  options: { readonly timeoutSeconds?: number } = {},
): Promise<string> {
  return run('ctr', ['--address', containerdSocket(ctx), '--namespace', 'k8s.io', ...args], options);
}
