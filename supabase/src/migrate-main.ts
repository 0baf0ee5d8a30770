/** Brings a database to the present schema and ends: the chart runs it as a Job, people by hand. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { applyPrelude, databaseClient, migrate, sqlFolder } from './migrate.ts';
import { type MigrateConfig, readMigrateConfig } from './migrate-config.ts';

async function main(config: MigrateConfig): Promise<void> {
  await reachable(config.DATABASE_URL, config.MILLWRIGHT_MIGRATE_WAIT_SECONDS);
  const folder = config.MILLWRIGHT_SUPABASE_DIR ?? sqlFolder;
  if (config.MILLWRIGHT_MIGRATE_PRELUDE === 'true') {
    const password = config.MILLWRIGHT_AUTHENTICATOR_PASSWORD;
    await applyPrelude(config.DATABASE_URL, password === undefined ? {} : { authenticatorPassword: password }, folder);
  }
  const applied = await migrate(config.DATABASE_URL, folder);
  process.stdout.write(applied.length === 0 ? 'The schema is up to date.\n' : `Applied ${applied.join(', ')}.\n`);
}

async function reachable(url: string, seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      const client = await databaseClient(url);
      return await client.end();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(1_000);
    }
  }
}

try {
  await main(readMigrateConfig(process.env));
} catch (error) {
  const text = error instanceof z.ZodError ? `The environment is not valid:\n${z.prettifyError(error)}` : String(error);
  process.stderr.write(`migrate: ${text}\n`);
  process.exitCode = 1;
}
