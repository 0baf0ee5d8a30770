import { setTimeout as delay } from 'node:timers/promises';
import type { Workflow } from '@millwright/crds';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { management, rabbitmqEndpoints } from '../services/rabbitmq.ts';
import { SYSTEM_NAMESPACE } from '../start/cluster.ts';
import { deadLetters, leader, podsOf } from './control-plane.ts';
import { historyOf } from './history.ts';
import { type Installed, installed } from './installed.ts';
import { withoutServices } from './outage.ts';
import { holderOf, outcomeOf, relay } from './relay.ts';
import { createTeam, type Team } from './team.ts';

/** Whatever goes away in the middle and comes back, a Workflow ends as if nothing had happened. */
let world: Installed;
let team: Team;
/** How the Workflow ends without any fault. */
let expected: Awaited<ReturnType<typeof outcomeOf>>;

const patience = { timeout: 120_000, interval: 500 };

beforeAll(async () => {
  world = await installed();
  team = await createTeam(world.ctx, world.cluster);
  await team.create(relay('undisturbed'));
  await team.ended('undisturbed');
  expected = await outcomeOf(team, 'undisturbed');
  expect(expected).toMatchObject({
    first: { phase: 'Succeeded', reason: 'Completed', tests: '1/1', try: '1/1' },
    left: { phase: 'Succeeded', reason: 'Completed', branch: 'ai/generated/WORKFLOW/left' },
    right: { phase: 'Succeeded', reason: 'NoChangesNeeded', branch: undefined },
    last: { phase: 'Succeeded', reason: 'Completed', tests: '1/1', try: '1/1' },
  });
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
});

const deletePod = (name: string, ...more: string[]) =>
  world.cluster.kubectl(['delete', 'pod', name, '--namespace', SYSTEM_NAMESPACE, '--wait=false', ...more]);

/** The Workflow has ended exactly as without a fault, nothing was done twice, and nothing is left over. */
async function endsAsExpected(name: string): Promise<void> {
  const workflow = await team.ended(name);
  expect(workflow.status).toMatchObject({ phase: 'Succeeded', progress: '4/4' });
  expect(await outcomeOf(team, name)).toEqual(expected);
  const tasks = await team.tasks(name);
  const statuses = Object.values(tasks).map(({ status }) => status);
  const published = Object.entries(await team.branches()).filter(([branch]) => branch.includes(`/${name}/`));
  const results = statuses.flatMap((status) => (status?.branch ? [[status.branch, status.result?.commit]] : []));
  expect(published.sort()).toEqual(results.sort());
  await expect.poll(() => sandboxesOf(workflow), patience).toEqual([]);
  await historyIsComplete(workflow);
  expect(await deadLetters(world.ctx, team.namespace)).toEqual([]);
}

/** Sandboxes that still run although what they were granted is over. */
async function sandboxesOf({ metadata }: Workflow): Promise<string[]> {
  const tasks = Object.values(await team.tasks(metadata.name));
  const held = tasks.flatMap(({ status }) => [
    status?.agent?.pod,
    status?.verifier?.pod,
    ...(status?.history ?? []).map(({ pod }) => pod),
  ]);
  const pods = await team.pods();
  return pods
    .filter(({ metadata: { name }, status }) => held.includes(name) && !/Succeeded|Failed/.test(status?.phase ?? ''))
    .map((pod) => pod.metadata.name);
}

/** Postgres tells the same as the cluster, holders included, and no attempt ran twice. */
async function historyIsComplete({ metadata }: Workflow): Promise<void> {
  const tasks = Object.values(await team.tasks(metadata.name));
  const truth = Object.fromEntries(
    tasks.map(({ metadata: { uid }, status }) => [
      uid,
      {
        phase: status?.phase,
        reason: status?.reason,
        attempt: status?.attempt,
        commit: status?.result?.commit ?? null,
        attempts: status?.history?.map(({ attempt, outcome, pod }) => ({ attempt, outcome, pod: pod ?? null })),
      },
    ]),
  );
  const recorded = () => historyOf(world.environment.postgresUrl, metadata.uid);
  const known = async () =>
    Object.fromEntries(Object.entries(await recorded()).map(([uid, { holders: _, runs: __, ...rest }]) => [uid, rest]));
  await expect.poll(known, patience).toEqual(truth);
  const history = await recorded();
  for (const { metadata, status } of tasks) {
    const { holders = {}, runs = {} } = history[metadata.uid] ?? {};
    const last = [status?.agent?.pod, status?.verifier?.pod].filter((pod) => pod !== undefined);
    expect(holders[status?.attempt ?? 0], 'who ran and who verified').toEqual(last.sort());
    for (const { attempt, pod } of status?.history ?? []) {
      expect(holders[attempt]).toContain(pod);
      expect(holders[attempt]?.length).toBeLessThanOrEqual(2);
    }
    // Live output may be lost with the broker; the whole of it is in the attempt's artifact.
    for (const [attempt, count] of Object.entries(runs))
      expect(count, `runs of attempt ${attempt}`).toBeLessThanOrEqual(1);
  }
}

test('without a fault, every command has run once', async () => {
  await endsAsExpected('undisturbed');
  const { metadata } = await team.workflow('undisturbed');
  const history = Object.values(await historyOf(world.environment.postgresUrl, metadata.uid));
  expect(history.map(({ runs }) => runs)).toEqual(Array(4).fill({ 1: 1 }));
});

describe('a Workflow ends as if nothing had happened when', () => {
  test('sandboxes die in the middle of their tasks', async () => {
    await team.create(relay('lost-sandboxes'));
    const [left, right] = await Promise.all([
      holderOf(team, 'lost-sandboxes', 'left'),
      holderOf(team, 'lost-sandboxes', 'right'),
    ]);
    await Promise.all([
      team.kubectl(['delete', 'pod', left, '--wait=false']),
      team.kubectl(['delete', 'pod', right, '--grace-period=0', '--force']),
    ]);
    await endsAsExpected('lost-sandboxes');
    const tasks = await team.tasks('lost-sandboxes');
    for (const [name, pod] of [
      ['left', left],
      ['right', right],
    ] as const) {
      const { status } = tasks[name] ?? {};
      expect(status).toMatchObject({ attempt: 2, infrastructureFailures: 1, try: '1/1' });
      expect(status?.history).toMatchObject([
        { attempt: 1, outcome: 'Failed', class: 'infrastructure', pod },
        { attempt: 2, outcome: 'Succeeded' },
      ]);
    }
  });

  test('the leading operator is killed', async () => {
    await team.create(relay('killed-operator'));
    await holderOf(team, 'killed-operator', 'left');
    const killed = await leader(world.ctx);
    await deletePod(killed, '--grace-period=0', '--force');
    await endsAsExpected('killed-operator');
    expect(await leader(world.ctx)).not.toBe(killed);
  });

  test('RabbitMQ stops for ten seconds', async () => {
    await team.create(relay('stopped-broker'));
    await holderOf(team, 'stopped-broker', 'left');
    // Longer than the tasks at work need: their results wait for the broker.
    await withoutServices(world.ctx, ['rabbitmq'], 'stop', () => delay(10_000));
    await endsAsExpected('stopped-broker');
  });

  test('RabbitMQ is killed and comes back', async () => {
    await team.create(relay('killed-broker'));
    await holderOf(team, 'killed-broker', 'left');
    await withoutServices(world.ctx, ['rabbitmq'], 'kill', () => delay(2_000));
    await endsAsExpected('killed-broker');
  });

  test('Postgres and PostgREST are away all the time: it does not even wait', async () => {
    await withoutServices(world.ctx, ['postgres', 'postgrest'], 'stop', async () => {
      await team.create(relay('no-database'));
      await team.ended('no-database');
      expect(await outcomeOf(team, 'no-database')).toEqual(expected);
    });
    await endsAsExpected('no-database');
  });

  test('the API server is killed and comes back', async () => {
    await team.create(relay('killed-api-server'));
    await holderOf(team, 'killed-api-server', 'left');
    await withoutServices(world.ctx, ['kube-apiserver'], 'kill', () => delay(5_000));
    await endsAsExpected('killed-api-server');
  });

  test('gateway and git host are deleted', async () => {
    await team.create(relay('deleted-gateway'));
    await holderOf(team, 'deleted-gateway', 'left');
    const pods = [...(await podsOf(world.ctx, 'gateway')), ...(await podsOf(world.ctx, 'git'))];
    expect(pods.length).toBeGreaterThanOrEqual(2);
    await Promise.all(pods.map((pod) => deletePod(pod)));
    await endsAsExpected('deleted-gateway');
  });
});

test('with its pool, the last sandbox and the broker user go', async () => {
  await team.kubectl(['delete', 'mpool', 'go-runners', '--wait=false']);
  await expect.poll(async () => (await team.pods()).map(({ metadata }) => metadata.name), patience).toEqual([]);
  const users = () => management(rabbitmqEndpoints(world.ctx).managementUrl, 'GET', '/api/users');
  const user = expect.objectContaining({ name: `pool.${team.namespace}.go-runners` });
  await expect.poll(users, patience).not.toContainEqual(user);
});
