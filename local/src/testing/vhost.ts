import { randomBytes } from 'node:crypto';
import { management } from '../services/rabbitmq.ts';
import { serviceUrl } from './environment.ts';

/** A RabbitMQ virtual host of a test's own. */
export interface TestVhost extends AsyncDisposable {
  readonly name: string;
  /** With the administrator's credentials, as given. */
  readonly amqpUrl: string;
  readonly managementUrl: string;
  /** Deletes it with all its queues; connections to it are closed. */
  dispose(): Promise<void>;
}

/** Makes an empty virtual host. Without arguments the environment says where RabbitMQ is. */
export async function testVhost(urls?: { amqpUrl: string; managementUrl: string }): Promise<TestVhost> {
  const { amqpUrl, managementUrl } = urls ?? fromEnvironment();
  const name = `test-${randomBytes(6).toString('hex')}`;
  const path = `/api/vhosts/${name}`;
  await management(managementUrl, 'PUT', path, {});
  const user = new URL(amqpUrl).username;
  const all = { configure: '.*', write: '.*', read: '.*' };
  await management(managementUrl, 'PUT', `/api/permissions/${name}/${user}`, all);
  const url = new URL(amqpUrl);
  url.pathname = `/${name}`;
  const dispose = async () => {
    await management(managementUrl, 'DELETE', path);
  };
  return { name, amqpUrl: url.href, managementUrl, dispose, [Symbol.asyncDispose]: dispose };
}

function fromEnvironment(): { amqpUrl: string; managementUrl: string } {
  return {
    amqpUrl: serviceUrl('MILLWRIGHT_TEST_AMQP_URL'),
    managementUrl: serviceUrl('MILLWRIGHT_TEST_RABBITMQ_MANAGEMENT_URL'),
  };
}
