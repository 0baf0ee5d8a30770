import { createContext, down, status, up } from '../index.ts';
import { type ServiceVariable, serviceVariables } from './environment.ts';

/**
 * Vitest's global set-up for tests that need real services: brings the local platform up unless it is up, and afterwards down only if
 * it was this that brought it up. When the environment already says where a service is, nothing is started.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (serviceVariables.some((name) => process.env[name])) return undefined;
  const ctx = createContext();
  const wasUp = (await status(ctx)).some(({ state }) => state !== 'down');
  const environment = await up(ctx);
  const urls: Record<ServiceVariable, string> = {
    MILLWRIGHT_TEST_AMQP_URL: environment.amqpUrl,
    MILLWRIGHT_TEST_RABBITMQ_MANAGEMENT_URL: environment.rabbitManagementUrl,
    MILLWRIGHT_TEST_KUBECONFIG: environment.kubeconfig,
    MILLWRIGHT_TEST_POSTGRES_URL: environment.postgresUrl,
    MILLWRIGHT_TEST_POSTGREST_URL: environment.postgrestUrl,
    MILLWRIGHT_TEST_JWT_SECRET: environment.jwtSecret,
    MILLWRIGHT_TEST_JAEGER_URL: environment.jaegerUrl,
    MILLWRIGHT_TEST_OTLP_URL: environment.otlpUrl,
  };
  // Workers inherit the environment. It is taken back at the end, because each project of one run calls this.
  Object.assign(process.env, urls, { PATH: [...environment.toolPath, process.env.PATH].join(':') });
  return async () => {
    for (const name of serviceVariables) delete process.env[name];
    if (!wasUp) await down(ctx);
  };
}
