import { join } from 'node:path';
import { z } from 'zod';
import { MissingRequirement } from './debian.ts';
import { readIfPresent, writeAtomically } from './files.ts';
import { containerdSocket } from './kubernetes/ctr.ts';
import { adminKubeconfig, contextName } from './kubernetes/kubeconfig.ts';
import type { Context } from './service.ts';
import { jaegerEndpoints } from './services/jaeger.ts';
import { postgresEndpoints } from './services/postgres.ts';
import { supabaseEndpoints } from './services/postgrest.ts';
import { rabbitmqEndpoints } from './services/rabbitmq.ts';

const environmentSchema = z.object({
  kubeconfig: z.string(),
  kubeContext: z.string(),
  /** Folders with `kubectl`, `helm` and the other built tools, for `PATH`. */
  toolPath: z.array(z.string()),
  containerdSocket: z.string(),
  /** All URLs are right from the host; all but Jaeger's query API from pods as well. Credentials are in them. */
  amqpUrl: z.string(),
  rabbitManagementUrl: z.string(),
  postgresUrl: z.string(),
  /** Base URL for `@supabase/supabase-js`; answers below `/rest/v1`. */
  postgrestUrl: z.string(),
  jwtSecret: z.string(),
  supabaseAnonKey: z.string(),
  supabaseServiceKey: z.string(),
  jaegerUrl: z.string(),
  /** OTLP over HTTP, without `/v1/traces`. */
  otlpUrl: z.string(),
  bridge: z.object({ gateway: z.string(), podCidr: z.string(), serviceCidr: z.string() }),
});

/** What a client of the running platform needs to know. */
export type Environment = z.infer<typeof environmentSchema>;

/** Works out the environment from addresses, ports and secrets; nothing needs to run for it, but tools must be built. */
export function environmentOf(ctx: Context, tools: readonly string[]): Environment {
  const rabbit = rabbitmqEndpoints(ctx);
  const supabase = supabaseEndpoints(ctx);
  const traces = jaegerEndpoints(ctx);
  const { gateway, podCidr, serviceCidr } = ctx.addresses;
  return {
    kubeconfig: adminKubeconfig(ctx),
    kubeContext: contextName,
    toolPath: [...new Set(tools.map((tool) => join(ctx.tool(tool), '..')))],
    containerdSocket: containerdSocket(ctx),
    amqpUrl: rabbit.amqpUrl,
    rabbitManagementUrl: rabbit.managementUrl,
    postgresUrl: postgresEndpoints(ctx).url,
    postgrestUrl: supabase.url,
    jwtSecret: supabase.jwtSecret,
    supabaseAnonKey: supabase.anonKey,
    supabaseServiceKey: supabase.serviceKey,
    jaegerUrl: traces.queryUrl,
    otlpUrl: traces.otlpUrl,
    bridge: { gateway, podCidr, serviceCidr },
  };
}

/** Writes `<stateDir>/env.json`. */
export function writeEnvironment(ctx: Context, environment: Environment): void {
  writeAtomically(environmentFile(ctx), `${JSON.stringify(environment, null, 2)}\n`, 0o600);
}

/** Reads what the last `up` wrote. Throws MissingRequirement when there has been none. */
export function readEnvironment(ctx: Context): Environment {
  const text = readIfPresent(environmentFile(ctx));
  if (text === undefined)
    throw new MissingRequirement('The local platform has not been started: run `npm run local -- up`.');
  return environmentSchema.parse(JSON.parse(text));
}

/** What a shell needs to use the platform's cluster with `kubectl` and `helm`. No more: other programs read variables as well. */
export function environmentExports({ kubeconfig, toolPath }: Environment): string {
  const quoted = `'${kubeconfig.replaceAll("'", "'\\''")}'`;
  return `export KUBECONFIG=${quoted}\nexport PATH="${toolPath.join(':')}:$PATH"`;
}

function environmentFile(ctx: Context): string {
  return join(ctx.stateDir, 'env.json');
}
