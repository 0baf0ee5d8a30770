import type { EventMessage } from '@millwright/crds';
import { describe, expect, it } from 'vitest';
import { defect } from './defects.ts';

const snapshot: EventMessage = {
  type: 'snapshot',
  id: 'u:1',
  namespace: 'team-a',
  at: '2026-11-01T00:00:00Z',
  kind: 'Workflow',
  uid: 'u',
  name: 'w',
  resourceVersion: '1',
  createdAt: '2026-11-01T00:00:00Z',
  spec: {},
  status: {},
};
const log: EventMessage = {
  type: 'log',
  id: 'l',
  namespace: 'team-a',
  at: '2026-11-01T00:00:00Z',
  task: { uid: 't', namespace: 'team-a', name: 't' },
  attempt: 1,
  kind: 'run',
  sequence: 0,
  stream: 'stdout',
  text: 'x',
};
const published = (routingKey: string) => ({ exchange: 'millwright.events', routingKey });

describe('defect', () => {
  const cases: [
    name: string,
    message: EventMessage,
    origin: { exchange: string; routingKey: string },
    expected: RegExp | undefined,
  ][] = [
    ['a snapshot under its key', snapshot, published('snapshot.team-a'), undefined],
    ['a line under its key', log, published('log.team-a'), undefined],
    ['a re-driven message, whose key is the queue', log, { exchange: '', routingKey: 'events.recorder' }, undefined],
    ['the key of another namespace', log, published('log.team-b'), /^foreign: published as "log.team-b"/],
    ['a snapshot under the key of a line', snapshot, published('log.team-a'), /^foreign/],
    [
      'a task of another namespace',
      { ...log, task: { ...log.task, namespace: 'team-b' } },
      published('log.team-a'),
      /^foreign.*team-b/,
    ],
    ['a time that is none', { ...log, at: 'soon' }, published('log.team-a'), /^invalid: at "soon"/],
    ['a year no database holds', { ...log, at: '+200000-01-01T00:00:00Z' }, published('log.team-a'), /^invalid: at/],
    ['a creation that is no time', { ...snapshot, createdAt: '' }, published('snapshot.team-a'), /^invalid: createdAt/],
    [
      'a version that is no number',
      { ...snapshot, resourceVersion: 'v1' },
      published('snapshot.team-a'),
      /^invalid: resourceVersion/,
    ],
    [
      'a version beyond bigint',
      { ...snapshot, resourceVersion: '9'.repeat(19) },
      published('snapshot.team-a'),
      /^invalid: resourceVersion/,
    ],
  ];
  it.each(cases)('%s', (_name, message, origin, expected) => {
    if (expected === undefined) expect(defect(message, origin)).toBeUndefined();
    else expect(defect(message, origin)).toMatch(expected);
  });
});
