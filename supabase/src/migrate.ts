import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** Where the SQL files lie in the repository: `migrations/` and `plain-postgres.sql`. */
export const sqlFolder = join(import.meta.dirname, '..');

/** Two processes that migrate at once take turns: any number will do, as long as it is always the same. */
const lock = 7_420_613_377;

/** One file of the migrations folder: `<version>_<name>.sql`, as the Supabase CLI names them. */
export interface Migration {
  readonly version: string;
  readonly name: string;
  readonly sql: string;
}

/** Opens a connection that the caller ends. Throws when the server cannot be reached within five seconds. */
export async function databaseClient(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    application_name: 'millwright-migrate',
  });
  // A connection that breaks between two queries fails the next query; without a listener it would end the process.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Reads the migrations in the order in which they apply. Throws when a file is not named `<14 digits>_<name>.sql`. */
export async function readMigrations(folder: string = sqlFolder): Promise<Migration[]> {
  const path = join(folder, 'migrations');
  const files = (await readdir(path)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file) => {
      const [, version, name] = /^(\d{14})_(.+)\.sql$/.exec(file) ?? [];
      if (!version || !name) throw new Error(`${file} is not named <14 digits>_<name>.sql`);
      return { version, name, sql: await readFile(join(path, file), 'utf8') };
    }),
  );
}

/**
 * Applies the migrations that have not been applied yet, each in a transaction of its own, and records them where the Supabase CLI
 * does (`supabase_migrations.schema_migrations`), so that both can be used on the same database.
 *
 * @param url of a role that bypasses row-level security and may create schemas, such as Supabase's `postgres`
 * @returns the versions applied by this call, none when there was nothing to do
 */
export async function migrate(url: string, folder: string = sqlFolder): Promise<string[]> {
  const migrations = await readMigrations(folder);
  return withLock(url, async (client) => {
    await client.query('create schema if not exists supabase_migrations');
    await client.query(
      `create table if not exists supabase_migrations.schema_migrations
         (version text not null primary key, statements text[], name text)`,
    );
    const { rows } = await client.query<{ version: string }>(
      'select version from supabase_migrations.schema_migrations',
    );
    const applied = new Set(rows.map((row) => row.version));
    const missing = migrations.filter((migration) => !applied.has(migration.version));
    for (const migration of missing) await apply(client, migration);
    if (missing.length > 0) await client.query(`notify pgrst, 'reload schema'`);
    return missing.map((migration) => migration.version);
  });
}

async function apply(client: pg.Client, { version, name, sql }: Migration): Promise<void> {
  await client.query('begin');
  try {
    await client.query(sql);
    await client.query(
      'insert into supabase_migrations.schema_migrations (version, statements, name) values ($1, $2, $3)',
      [version, [sql], name],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw new Error(`migration ${version}_${name}: ${describe(error, sql)}`, { cause: error });
  }
}

/**
 * Gives a plain Postgres what every Supabase project has and the migrations expect: the roles and the `auth` functions.
 *
 * @param url of a superuser
 * @param options.authenticatorPassword lets PostgREST log in with it
 */
export async function applyPrelude(
  url: string,
  options: { authenticatorPassword?: string } = {},
  folder: string = sqlFolder,
): Promise<void> {
  const sql = await readFile(join(folder, 'plain-postgres.sql'), 'utf8');
  await withLock(url, async (client) => {
    await client.query(sql);
    if (options.authenticatorPassword !== undefined) {
      await client.query(
        `alter role authenticator login password ${client.escapeLiteral(options.authenticatorPassword)}`,
      );
    }
  });
}

/** The lock is the database's, and ends with the connection, however that ends. */
async function withLock<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await databaseClient(url);
  try {
    await client.query('select pg_advisory_lock($1)', [lock]);
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Adds the line of the file to the server's message. */
function describe(error: unknown, sql: string): string {
  if (!(error instanceof pg.DatabaseError)) return String(error);
  const line = error.position ? sql.slice(0, Number(error.position)).split('\n').length : undefined;
  return `${error.message}${line === undefined ? '' : ` (line ${line})`}${error.hint ? `; ${error.hint}` : ''}`;
}
