import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from './service.ts';

/**
 * Runs `work` while no other process of this machine works on the platform; waits for its turn. The kernel holds the lock
 * (`flock`), so that it is free again whatever becomes of the holder.
 */
export async function withLock<T>(ctx: Context, work: () => Promise<T>): Promise<T> {
  mkdirSync(ctx.runDir, { recursive: true });
  // The helper lives as long as its standard input, which closes with this process at the latest.
  const holder = spawn('flock', [join(ctx.runDir, 'lock'), 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const held = new Promise<void>((resolve, reject) => {
    holder.stdout.once('data', () => resolve());
    holder.once('error', reject);
    holder.once('close', (code) => reject(new Error(`flock ended with ${code}`)));
  });
  const ended = new Promise<void>((resolve) => {
    holder.once('close', () => resolve());
  });
  const patience = setTimeout(() => ctx.say('  … waiting: another process is at work on the local platform'), 1000);
  try {
    await held;
  } finally {
    clearTimeout(patience);
  }
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
