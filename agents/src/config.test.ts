import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from './config.ts';

const complete = {
  MILLWRIGHT_AMQP_URL: 'amqp://user:secret@rabbit:5672/vhost',
  MILLWRIGHT_NAMESPACE: 'team',
  MILLWRIGHT_POOL: 'runners',
  MILLWRIGHT_POD: 'runners-1',
  MILLWRIGHT_WORKSPACE_IMAGE: 'toolchain:1',
  MILLWRIGHT_WORKSPACE_SOCKET: '/run/millwright/workspace.sock',
};

describe('readConfig', () => {
  it('fills in what is optional', () => {
    expect(readConfig(complete)).toMatchObject({ MILLWRIGHT_ENGINE: 'runner', MILLWRIGHT_HTTP_PORT: 8080 });
  });

  it('lists every error at once, and no value', () => {
    const wrong = {
      ...complete,
      MILLWRIGHT_AMQP_URL: 'http://user:secret@rabbit',
      MILLWRIGHT_POD: '',
      MILLWRIGHT_HTTP_PORT: '99999',
    };
    const read = () => readConfig(wrong);
    expect(read).toThrow(ConfigError);
    for (const name of ['MILLWRIGHT_AMQP_URL', 'MILLWRIGHT_POD', 'MILLWRIGHT_HTTP_PORT']) expect(read).toThrow(name);
    expect(read).not.toThrow('secret');
  });
});
