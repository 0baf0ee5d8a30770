/**
 * Runs the pgTAP tests in `supabase/tests`, each file in a fresh database with all migrations, and prints their TAP.
 * The last line is `N passed, N failed`; exits with 1 when a test failed, a file broke, or a plan was not kept.
 */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { z } from 'zod';
import { applyPrelude, databaseClient, migrate } from './migrate.ts';
import { pgtapSource } from './pgtap.ts';

const settings = z.object({
  /** URL of a superuser on any database of the server. */
  MILLWRIGHT_TEST_POSTGRES_URL: z.url(),
});

const { MILLWRIGHT_TEST_POSTGRES_URL: serverUrl } = settings.parse(process.env);
const folder = join(import.meta.dirname, '..', 'tests');
const pgtap = await pgtapSource();
let passed = 0;
let failed = 0;
for (const file of (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()) {
  process.stdout.write(`# ${file}\n`);
  const lines = await runFile(await readFile(join(folder, file), 'utf8'));
  const planned = Number(/^1\.\.(\d+)$/m.exec(lines.join('\n'))?.[1] ?? Number.NaN);
  const good = lines.filter((line) => /^ok \d+/.test(line)).length;
  const bad = lines.filter((line) => /^not ok \d+/.test(line)).length;
  process.stdout.write(`${lines.join('\n')}\n`);
  passed += good;
  failed += bad;
  if (good + bad !== planned) {
    failed += 1;
    process.stdout.write(`# ${file}: planned ${planned}, ran ${good + bad}\n`);
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

/**
 * The migrations are applied as on Supabase: by a role that bypasses row-level security and is no superuser. What only a superuser's
 * functions could do fails here.
 */
async function runFile(sql: string): Promise<string[]> {
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
    return await runIn(superuserUrl.href, sql);
  } finally {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.query(`drop role if exists ${name}`);
    await admin.end();
  }
}

/** The lines that the file's statements return. An error ends the file and becomes a line of its own. */
async function runIn(url: string, sql: string): Promise<string[]> {
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
