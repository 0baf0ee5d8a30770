import { type Broker, type BrokerState, InvalidMessageError, PublishError } from '@millwright/broker';
import type { SnapshotEvent } from '@millwright/crds';
import { silentLogger } from '@millwright/otel';
import { beforeEach, expect, test } from 'vitest';
import { History } from './history.ts';
import { type FakeClock, fakeClock, settle } from './runtime/testing/fake-clock.ts';
import { aTask } from './testing/objects.ts';

interface Sent {
  id: string;
  confirm(): void;
  fail(error: Error): void;
}

let clock: FakeClock;
let connected: boolean;
let sent: Sent[];
let listener: (state: BrokerState) => void;
let history: History;

const task = (uid: string, resourceVersion = '1') => aTask({}, undefined, { name: uid, uid, resourceVersion });
const ids = () => sent.map(({ id }) => id);

beforeEach(() => {
  clock = fakeClock();
  connected = true;
  sent = [];
  const broker = {
    get connected() {
      return connected;
    },
    onStateChange: (told: typeof listener) => {
      listener = told;
      return () => undefined;
    },
    publish: (_: unknown, __: unknown, { id }: SnapshotEvent) =>
      new Promise<void>((resolve, reject) => {
        sent.push({ id, confirm: resolve, fail: reject });
      }),
  } as unknown as Broker;
  history = new History({ broker, logger: silentLogger, clock, random: () => 0.999 });
});

test('what a new leader repeats is paced, and gives way to what is new', async () => {
  for (let i = 0; i < 1000; i++) history.repeat(task(`old-${i}`));
  expect(sent).toHaveLength(4);
  history.record(task('new'));
  expect(ids().at(-1)).toBe('new:1');
  for (const { confirm } of [...sent]) confirm();
  await settle();
  expect(ids().slice(5)).toEqual(['old-4:1', 'old-5:1', 'old-6:1', 'old-7:1']);
});

test('however much is new, few messages are under way', async () => {
  for (let i = 0; i < 1000; i++) history.record(task(`t-${i}`));
  expect(sent).toHaveLength(64);
  for (let confirmed = 0; confirmed < 1000; confirmed++) {
    sent[confirmed]?.confirm();
    await settle();
    expect(sent.length - confirmed - 1).toBeLessThanOrEqual(64);
  }
  expect(new Set(ids()).size).toBe(1000);
});

test('what is said of an object last is said once, and what it replaces is not', () => {
  connected = false;
  history.repeat(task('a', '1'));
  history.record(task('a', '2'));
  history.record(task('a', '3'));
  history.repeat(task('a', '2'));
  connected = true;
  listener('connected');
  expect(ids()).toEqual(['a:3']);
});

test('a broker that refuses is asked again, less and less often', async () => {
  history.record(task('a'));
  const tries: number[] = [];
  for (let n = 0; n < 9; n++) {
    sent.at(-1)?.fail(new PublishError('too many messages wait for the broker', 'no'));
    await settle();
    expect(ids()).toHaveLength(n + 1);
    tries.push(Math.round((clock.nextDue() ?? 0) - clock.now()));
    await clock.advance(30_000);
    expect(ids()).toHaveLength(n + 2);
  }
  expect(tries).toEqual([500, 999, 1998, 3996, 7992, 15_984, 29_970, 29_970, 29_970]);
  sent.at(-1)?.confirm();
  await clock.advance(60_000);
  expect(ids()).toHaveLength(10);
});

test('of an object that has changed since, the newer state is said after a failure', async () => {
  history.record(task('a', '1'));
  history.record(task('a', '2'));
  expect(ids()).toEqual(['a:1', 'a:2']);
  sent[0]?.fail(new PublishError('refused', 'no'));
  await settle();
  history.record(task('a', '3'));
  await clock.advance(30_000);
  expect(ids()).toEqual(['a:1', 'a:2', 'a:3']);
});

test('what can be no message is not tried again', async () => {
  history.record(task('a'));
  sent[0]?.fail(new InvalidMessageError('no'));
  await clock.advance(60_000);
  expect(ids()).toEqual(['a:1']);
});

test('it ends', async () => {
  history.record(task('a'));
  sent[0]?.fail(new PublishError('refused', 'no'));
  await settle();
  history.stop();
  history.record(task('b'));
  await clock.advance(60_000);
  expect(ids()).toEqual(['a:1']);
});
