/** Variables that tell integration tests where the services are; vitest's global set-up provides all of them. */
export const serviceVariables = [
  'MILLWRIGHT_TEST_AMQP_URL',
  'MILLWRIGHT_TEST_RABBITMQ_MANAGEMENT_URL',
  'MILLWRIGHT_TEST_KUBECONFIG',
  'MILLWRIGHT_TEST_POSTGRES_URL',
  'MILLWRIGHT_TEST_POSTGREST_URL',
  'MILLWRIGHT_TEST_JWT_SECRET',
  'MILLWRIGHT_TEST_JAEGER_URL',
  'MILLWRIGHT_TEST_OTLP_URL',
] as const;
export type ServiceVariable = (typeof serviceVariables)[number];

/** Where a service is. Throws when the variable is not set, so that a test never passes for want of a service. */
export function serviceUrl(name: ServiceVariable): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the test by \`vitest run --project integration\``);
  return value;
}
