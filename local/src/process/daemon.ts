import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readIfPresent, writeAtomically } from '../files.ts';
import type { Launch } from '../service.ts';

/** What is remembered of a started daemon. Pid and start time together name one process for ever, whatever pid is reused. */
export interface DaemonRecord {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of `/proc/<pid>/stat`. */
  readonly startTime: number;
  /** Of this boot: ticks of another boot mean nothing. */
  readonly bootId: string;
  readonly fingerprint: string;
  readonly startedAt: string;
}

/** Starts the daemon as leader of its own session, output appended to `log`, and writes its record. */
export function startDaemon(launch: Launch, recordFile: string, log: string): DaemonRecord {
  mkdirSync(dirname(log), { recursive: true });
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > keptLogBytes) renameSync(log, `${log}.1`);
  const output = openSync(log, 'a');
  try {
    const child = spawn(launch.command, launch.args, {
      detached: true,
      stdio: ['ignore', output, output],
      cwd: launch.cwd ?? '/',
      env: { PATH: daemonPath, HOME: process.env.HOME ?? '/root', LANG: 'C.UTF-8', ...launch.env },
      ...(launch.uid === undefined ? {} : { uid: launch.uid }),
      ...(launch.gid === undefined ? {} : { gid: launch.gid }),
    });
    // The failure of a missing binary is the absent pid below; without a listener it would end this process.
    child.on('error', () => {});
    if (child.pid === undefined) throw new Error(`${launch.command} could not be started: is it there and executable?`);
    const startTime = processStartTime(child.pid);
    child.unref();
    if (startTime === undefined) throw new Error(`${launch.command} ended at once`);
    const record = {
      pid: child.pid,
      startTime,
      bootId: bootId(),
      fingerprint: fingerprint(launch),
      startedAt: new Date().toISOString(),
    };
    writeAtomically(recordFile, `${JSON.stringify(record)}\n`);
    return record;
  } finally {
    closeSync(output);
  }
}

/** The record of a daemon that still runs, or undefined. */
export function runningDaemon(recordFile: string): DaemonRecord | undefined {
  const text = readIfPresent(recordFile);
  if (text === undefined) return undefined;
  const record = JSON.parse(text) as DaemonRecord;
  return isAlive(record) ? record : undefined;
}

export function isAlive(record: DaemonRecord): boolean {
  return record.bootId === bootId() && processStartTime(record.pid) === record.startTime;
}

/** Ends the daemon's whole process group: politely first, by SIGKILL after the timeout. Does nothing when it no longer runs. */
export async function stopDaemon(
  recordFile: string,
  stop: { readonly signal?: NodeJS.Signals; readonly timeoutSeconds?: number } = {},
): Promise<void> {
  const record = runningDaemon(recordFile);
  if (record) {
    const deadline = Date.now() + (stop.timeoutSeconds ?? 10) * 1000;
    signalTo(record.pid, stop.signal ?? 'SIGTERM');
    while (isAlive(record) && Date.now() < deadline) await delay(50);
    // Children that stayed behind in its group are its own; the group's number is not reused while one of them lives.
    signalTo(-record.pid, 'SIGKILL');
    while (isAlive(record)) await delay(20);
  }
  rmSync(recordFile, { force: true });
}

/** Tells whether two launches would start the same thing. */
export function fingerprint(launch: Launch): string {
  const { command, args, env, cwd, uid, gid } = launch;
  const content = JSON.stringify([command, binaryIdentity(command), args, env, cwd, uid, gid, launch.fingerprint]);
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

/** A log that has outgrown this at a start moves aside, over the one before. */
const keptLogBytes = 64 * 1024 ** 2;

const daemonPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function binaryIdentity(command: string): number {
  return command.startsWith('/') ? (statSync(command, { throwIfNoEntry: false })?.mtimeMs ?? 0) : 0;
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function processStartTime(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may hold anything: count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
