import { access, chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { applyPrelude, databaseClient, migrate } from '@millwright/supabase/migrate';
import { run } from '../process/run.ts';
import type { Context, Launch, Service } from '../service.ts';
import { nobody, ownedFolder, unprivileged } from './unprivileged.ts';

/** The wheel carries Postgres 16.2 with pgvector. Pinned by digest, so that what runs as a daemon is what was tried. */
const wheel = {
  requirement: 'pgserver==0.1.4',
  digest: 'sha256:d595789b47624a3d963aa9aa6359da9be31beb7e61f1a45541953242068b8813',
  python: '3.11',
  platform: 'manylinux2014_x86_64',
} as const;

const database = 'millwright';

/** The superuser's URL of the platform's database, and the one that PostgREST uses. */
export function postgresEndpoints(ctx: Context): { url: string; authenticatorUrl: string } {
  const at = `${ctx.addresses.gateway}:${ctx.ports.postgres}/${database}`;
  return {
    url: `postgres://postgres:${ctx.secret('postgres')}@${at}`,
    authenticatorUrl: `postgres://authenticator:${ctx.secret('authenticator')}@${at}`,
  };
}

/** Postgres with pgvector and what a Supabase project brings: roles, `auth` functions, and our migrations. */
export const postgres: Service = {
  name: 'postgres',
  // Fast shutdown: open connections are ended, nothing is lost.
  stop: { signal: 'SIGINT', timeoutSeconds: 30 },
  remedy: 'read its log; `npm run local -- reset` starts with an empty database',
  addresses: (ctx) => ({ [postgresEndpoints(ctx).url]: 'SQL' }),

  async prepare(ctx) {
    const bin = await binaries(ctx);
    const dir = await ownedFolder(nobody, ctx.dataDir('postgres'));
    const data = join(dir, 'data');
    if (!(await exists(join(data, 'PG_VERSION')))) await initialise(ctx, bin, dir, data);
    const pods = ctx.addresses.podCidr;
    const access = [
      'host all all 127.0.0.0/8 scram-sha-256',
      `host all all ${ctx.addresses.gateway}/32 scram-sha-256`,
      `host all all ${pods} scram-sha-256`,
    ];
    const hba = join(dir, 'pg_hba.conf');
    await writeFile(hba, `${access.join('\n')}\n`);
    return asServer({
      command: join(bin, 'postgres'),
      args: ['-D', data, ...Object.entries(settings(ctx, hba)).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
      cwd: dir,
    });
  },

  async ready(ctx) {
    const client = await databaseClient(withDatabase(postgresEndpoints(ctx).url, 'postgres'));
    await client.end();
  },

  async afterReady(ctx) {
    const { url } = postgresEndpoints(ctx);
    const admin = await databaseClient(withDatabase(url, 'postgres'));
    try {
      const { rowCount } = await admin.query('select 1 from pg_database where datname = $1', [database]);
      if (rowCount === 0) await admin.query(`create database ${database}`);
    } finally {
      await admin.end();
    }
    await applyPrelude(url, { authenticatorPassword: ctx.secret('authenticator') });
    await migrate(url);
  },
};

/** The same server's URL with another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

function settings(ctx: Context, hba: string): Record<string, string | number> {
  return {
    hba_file: hba,
    listen_addresses: `${ctx.addresses.loopback},${ctx.addresses.gateway}`,
    port: ctx.ports.postgres,
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '128MB',
    // Stated although they are the defaults: benchmarks are worth nothing without them.
    fsync: 'on',
    synchronous_commit: 'on',
    password_encryption: 'scram-sha-256',
    log_min_duration_statement: 1000,
    timezone: 'UTC',
  };
}

async function initialise(ctx: Context, bin: string, dir: string, data: string): Promise<void> {
  await ctx.step('Initialise the Postgres cluster', async () => {
    // An interrupted initdb leaves a folder that no server starts from.
    await rm(data, { recursive: true, force: true });
    await ownedFolder(nobody, data);
    const password = join(dir, 'initial-password');
    await writeFile(password, `${ctx.secret('postgres')}\n`, { mode: 0o600 });
    const launch = asServer({
      command: join(bin, 'initdb'),
      args: [
        ...['-D', data, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${password}`],
        ...['--encoding=UTF8', '--locale=C.UTF-8', '--data-checksums'],
      ],
      cwd: dir,
    });
    await run(launch.command, launch.args, { cwd: dir, log: ctx.logFile('postgres') });
    await rm(password);
  });
}

/** Postgres refuses to run as root. */
function asServer(launch: Launch): Launch {
  return unprivileged(nobody, launch);
}

/** Fetches and unpacks the wheel into the cache on first use; returns the folder of the commands. */
async function binaries(ctx: Context): Promise<string> {
  const dir = join(ctx.cacheDir, 'postgres', wheel.digest.slice(7, 23));
  const bin = join(dir, 'pgserver', 'pginstall', 'bin');
  if (await exists(dir)) return bin;
  await ctx.step('Fetch Postgres with pgvector', async (report) => {
    const temporary = `${dir}.${process.pid}`;
    await mkdir(temporary, { recursive: true });
    const requirements = join(temporary, 'requirements.txt');
    await writeFile(requirements, `${wheel.requirement} --hash=${wheel.digest}\n`);
    report(undefined, 'pip download');
    await run('python3', [
      ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--require-hashes'],
      ...['--only-binary=:all:', '--python-version', wheel.python, '--platform', wheel.platform],
      ...['--dest', temporary, '-r', requirements],
    ]);
    const [file] = (await readdir(temporary)).filter((name) => name.endsWith('.whl'));
    if (!file) throw new Error(`pip left no wheel of ${wheel.requirement}`);
    report(undefined, 'unpack');
    await run('python3', ['-m', 'zipfile', '-e', join(temporary, file), temporary]);
    await rm(join(temporary, file));
    const commands = join(temporary, 'pgserver', 'pginstall', 'bin');
    for (const name of await readdir(commands)) await chmod(join(commands, name), 0o755);
    await rename(temporary, dir);
  });
  return bin;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
