import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { applyPrelude, databaseClient, migrate } from './migrate.ts';

const folder = join(import.meta.dirname, '..', 'tests');

/** Names of the pgTAP files, in order. */
export const sqlTestFiles: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith('.sql'))
  .sort();

/** What a pgTAP file said. A plan that was not kept counts as one failure. */
export interface SqlTestResult {
  readonly lines: readonly string[];
  readonly passed: number;
  readonly failed: number;
}

/**
 * Runs one file in a fresh database with all migrations.
 *
 * @param serverUrl of a superuser on any database of the server
 * @param pgtap source of pgTAP's functions
 */
export async function runSqlTest(file: string, serverUrl: string, pgtap: string): Promise<SqlTestResult> {
  const lines = await runFile(await readFile(join(folder, file), 'utf8'), serverUrl, pgtap);
  const planned = Number(/^1\.\.(\d+)$/m.exec(lines.join('\n'))?.[1] ?? Number.NaN);
  const passed = lines.filter((line) => /^ok \d+/.test(line)).length;
  const failed = lines.filter((line) => /^not ok \d+/.test(line)).length;
  if (passed + failed === planned) return { lines, passed, failed };
  return { lines: [...lines, `# planned ${planned}, ran ${passed + failed}`], passed, failed: failed + 1 };
}

/**
 * The migrations are applied as on Supabase: by a role that bypasses row-level security and is no superuser. What only a superuser's
 * functions could do fails here.
 */
async function runFile(sql: string, serverUrl: string, pgtap: string): Promise<string[]> {
  const name = `millwright_test_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(16).toString('hex');
  const superuserUrl = new URL(serverUrl);
  superuserUrl.pathname = `/${name}`;
  const ownerUrl = new URL(superuserUrl);
  ownerUrl.username = name;
  ownerUrl.password = password;
  const admin = await databaseClient(serverUrl);
  try {
    await admin.query(`create role ${name} login bypassrls password '${password}'`);
    await admin.query(`create database ${name} owner ${name}`);
    await applyPrelude(superuserUrl.href);
    await migrate(ownerUrl.href);
    return await runIn(superuserUrl.href, sql, pgtap);
  } finally {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.query(`drop role if exists ${name}`);
    await admin.end();
  }
}

/** The lines that the file's statements return. An error ends the file and becomes a line of its own. */
async function runIn(url: string, sql: string, pgtap: string): Promise<string[]> {
  const client = await databaseClient(url);
  try {
    await client.query('create schema tap; grant usage on schema tap to public; set search_path to tap');
    await client.query(pgtap);
    // pgTAP is found after ours, and its counters are the session's own.
    await client.query('set search_path to public, tap');
    const results: unknown = await client.query({ text: sql, rowMode: 'array' });
    return (Array.isArray(results) ? results : [results])
      .flatMap((result: pg.QueryArrayResult<unknown[]>) => result.rows)
      .flatMap(([cell]) => (typeof cell === 'string' ? cell.split('\n') : []));
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    const line = error.position ? ` (line ${sql.slice(0, Number(error.position)).split('\n').length})` : '';
    return [`not ok 0 - ${error.message}${line}`];
  } finally {
    await client.end();
  }
}
