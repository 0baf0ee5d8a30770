import { expect, it } from 'vitest';
import { type PartStatus, statusTable } from './status.ts';

const healthy = (part: string, addresses: PartStatus['addresses'] = {}): PartStatus => ({
  part,
  state: 'healthy',
  detail: 'since now',
  addresses,
});

it('shows each part with its state and all its addresses', () => {
  const all = [healthy('etcd'), healthy('rabbitmq', { 'amqp://h:1': 'AMQP', 'http://host:2': 'management UI' })];
  expect(statusTable(all).split('\n')).toEqual([
    'PART      STATE      ADDRESS',
    'etcd      healthy',
    'rabbitmq  healthy    amqp://h:1     AMQP',
    '                     http://host:2  management UI',
  ]);
});

it('says of a part that is not healthy why, and where its log is', () => {
  const daemon = { part: 'etcd', state: 'down', detail: 'not running', addresses: {}, log: '/logs/etcd.log' } as const;
  const process = { part: 'operator', state: 'unhealthy', detail: '1 of 2 pods ready', addresses: {} } as const;
  expect(statusTable([daemon, process]).split('\n').slice(1)).toEqual([
    'etcd      down       not running',
    '                     log: /logs/etcd.log',
    'operator  unhealthy  1 of 2 pods ready',
    '                     log: npm run local -- logs operator',
  ]);
});
