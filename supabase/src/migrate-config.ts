import { z } from 'zod';

const variables = z.object({
  /** Of a role that bypasses row-level security; a direct connection or a session pooler, since a lock is held over transactions. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }),
  /** Where the process was bundled: the folder of the SQL files. */
  MILLWRIGHT_SUPABASE_DIR: z.string().min(1).optional(),
  /** `true` on a plain Postgres, which lacks the roles and functions of a Supabase project. */
  MILLWRIGHT_MIGRATE_PRELUDE: z.enum(['true', 'false']).default('false'),
  /** With the prelude: lets PostgREST log in as `authenticator`. */
  MILLWRIGHT_AUTHENTICATOR_PASSWORD: z.string().min(1).optional(),
  /** How long to wait for a database that does not answer yet. */
  MILLWRIGHT_MIGRATE_WAIT_SECONDS: z.coerce.number().int().min(0).max(3600).default(60),
});
export type MigrateConfig = z.infer<typeof variables>;

/** Reads the environment of the migration process; empty values count as absent. Throws ZodError with all that is wrong. */
export function readMigrateConfig(environment: NodeJS.ProcessEnv): MigrateConfig {
  return variables.parse(Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== '')));
}
