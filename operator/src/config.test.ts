import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from './config.ts';

const needed = {
  MILLWRIGHT_AMQP_URL: 'amqp://user:password@rabbitmq:5672/team',
  MILLWRIGHT_RABBITMQ_MANAGEMENT_URL: 'http://user:password@rabbitmq:15672',
  MILLWRIGHT_SIGNING_KEY: 'k'.repeat(32),
  MILLWRIGHT_GATEWAY_URL: 'http://gateway:8080/',
  MILLWRIGHT_AGENT_IMAGE: 'agent:1',
};

function problems(env: NodeJS.ProcessEnv): string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [head, ...lines] = error.message.split('\n');
    expect(head).toBe('the environment is not usable:');
    return lines.map((line) => line.trim());
  }
}

test('what is needed is enough', () => {
  expect(readConfig(needed)).toMatchObject({
    amqpUrl: needed.MILLWRIGHT_AMQP_URL,
    sandboxAmqpUrl: needed.MILLWRIGHT_AMQP_URL,
    gatewayUrl: 'http://gateway:8080',
    namespace: 'millwright-system',
    port: 8080,
    logLevel: 'info',
    watchNamespace: undefined,
    shard: undefined,
    reachable: { addresses: [], brokerPort: 5672, dns: { ports: [53] } },
    sandbox: { agentImage: 'agent:1', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [] },
  });
});

test('all that is missing is listed at once', () => {
  expect(problems({})).toEqual(Object.keys(needed).map((name) => `${name}: is not set`));
});

test('all that is wrong is listed at once, beside what is missing', () => {
  const { MILLWRIGHT_AGENT_IMAGE: _, ...some } = needed;
  const listed = problems({
    ...some,
    MILLWRIGHT_AMQP_URL: 'http://rabbitmq',
    MILLWRIGHT_SIGNING_KEY: 'short',
    MILLWRIGHT_HTTP_PORT: '70000',
    MILLWRIGHT_LOG_LEVEL: 'loud',
    MILLWRIGHT_SHARD: 'a b',
    MILLWRIGHT_SANDBOX_ADDRESSES: '10.0.0.1/32@5672 nonsense',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
  });
  expect(listed.map((line) => line.split(':')[0]).sort()).toEqual([
    'MILLWRIGHT_AGENT_IMAGE',
    'MILLWRIGHT_AMQP_URL',
    'MILLWRIGHT_HTTP_PORT',
    'MILLWRIGHT_LOG_LEVEL',
    'MILLWRIGHT_SANDBOX_ADDRESSES',
    'MILLWRIGHT_SHARD',
    'MILLWRIGHT_SIGNING_KEY',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
  ]);
  expect(listed).toContain('MILLWRIGHT_SIGNING_KEY: needs at least 32 characters');
  expect(listed).toContain('MILLWRIGHT_AGENT_IMAGE: is not set');
});

test('secrets are not in the message', () => {
  const [line] = problems({ ...needed, MILLWRIGHT_SIGNING_KEY: 'my-secret' });
  expect(line).not.toContain('my-secret');
});

test('an empty variable counts as not set', () => {
  expect(problems({ ...needed, MILLWRIGHT_AGENT_IMAGE: '' })).toEqual(['MILLWRIGHT_AGENT_IMAGE: is not set']);
  expect(readConfig({ ...needed, MILLWRIGHT_LOG_LEVEL: '' }).logLevel).toBe('info');
});

describe('addresses that sandboxes may reach', () => {
  test.each([
    ['10.0.0.5/32@5672', [{ cidr: '10.0.0.5/32', ports: [5672] }]],
    [
      ' 10.0.0.0/8@1,2\n fd00::/8@443 ',
      [
        { cidr: '10.0.0.0/8', ports: [1, 2] },
        { cidr: 'fd00::/8', ports: [443] },
      ],
    ],
  ])('%j', (text, expected) => {
    expect(readConfig({ ...needed, MILLWRIGHT_SANDBOX_ADDRESSES: text }).reachable.addresses).toEqual(expected);
  });
  test.each([
    '10.0.0.5@5672',
    '10.0.0.5/32',
    '10.0.0.5/32@',
    '10.0.0.5/32@0',
    '10.0.0.5/32@65536',
    '10.0.0.5/32@a',
    'host/32@1',
  ])('%s is refused', (text) => {
    expect(problems({ ...needed, MILLWRIGHT_SANDBOX_ADDRESSES: text })[0]).toContain(`got "${text}"`);
  });
});

test('lists of secrets are separated by commas or spaces', () => {
  const config = readConfig({ ...needed, MILLWRIGHT_IMAGE_PULL_SECRETS: ' a, b c ' });
  expect(config.sandbox.imagePullSecrets).toEqual(['a', 'b', 'c']);
});

test.each([
  ['no JSON', 'kube-dns'],
  ['nobody, which would be everybody', '{"to":[],"ports":[53]}'],
  ['a peer without a field, which would be everybody', '{"to":[{}],"ports":[53]}'],
  ['no port', '{"to":[{"ipBlock":{"cidr":"10.0.0.10/32"}}],"ports":[]}'],
])('DNS that is not usable: %s', (_, value) => {
  expect(problems({ ...needed, MILLWRIGHT_SANDBOX_DNS: value })).toEqual([
    expect.stringMatching(/^MILLWRIGHT_SANDBOX_DNS: /),
  ]);
});
