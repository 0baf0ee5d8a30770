import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, ensurePackages, nobody, ownedFolder, run, unprivileged } from '@millwright/local';
import { startChild } from '../child.ts';
import { freePorts } from '../free-ports.ts';

export interface Postgres {
  host: string;
  port: number;
  user: string;
  password: string;
}

/** Debian's: Temporal's tables need contrib modules that the platform's own server does not have. */
const BIN = '/usr/lib/postgresql/15/bin';
const HOST = '127.0.0.1';

/** Starts a server with empty data on loopback, with fsync; stops it and deletes its data with the stack. It may still be starting. */
export async function startPostgres(ctx: Context, stack: AsyncDisposableStack): Promise<Postgres> {
  await ensurePackages(ctx, ['postgresql-15']);
  const folder = mkdtempSync(join(ctx.dataDir('bench'), 'postgres-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  await ownedFolder(nobody, folder);
  const password = ctx.secret('bench-postgres');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const data = join(folder, 'data');
  const initdb = unprivileged(nobody, {
    command: join(BIN, 'initdb'),
    args: [
      '-D',
      data,
      '-U',
      'postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C.UTF-8',
    ],
  });
  const log = ctx.logFile('bench-temporal');
  await run(initdb.command, initdb.args, { cwd: folder, log });
  const [port = 0] = await freePorts(HOST, 1);
  const settings = {
    listen_addresses: HOST,
    port,
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '128MB',
    fsync: 'on',
    synchronous_commit: 'on',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // The wish to end with this process is lost with a change of user, so it is made again after that.
  const server = unprivileged(nobody, {
    command: 'setpriv',
    args: ['--pdeathsig', 'INT', join(BIN, 'postgres'), '-D', data, ...flags],
  });
  const child = startChild({ ...server, log, signal: 'SIGINT' });
  stack.defer(child.stop);
  return { host: HOST, port, user: 'postgres', password };
}
