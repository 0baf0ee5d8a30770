import type { AgentTask } from '@millwright/crds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SYSTEM_NAMESPACE } from '../start/cluster.ts';
import { leader } from './control-plane.ts';
import { type Installed, installed } from './installed.ts';
import { orphansOf, rootsOf, type Span, traceOf } from './jaeger.ts';
import { holderOf, relay } from './relay.ts';
import { createTeam, type Team } from './team.ts';
import { until } from './until.ts';

/** One Workflow is one trace, as the backend returns it. */
let world: Installed;
let team: Team;

beforeAll(async () => {
  world = await installed();
  team = await createTeam(world.ctx, world.cluster);
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
});

const operator = 'millwright-operator';
const agent = 'millwright-agent';
const publisher = 'millwright-publisher';

/** The hops of a task's only attempt, each as its way down from the task's span. */
function hopsOf({ status }: AgentTask): string[] {
  const run = [`${operator} attempt 1`, `${operator} send millwright.work`, `${agent} process WORK`];
  const verify = [`${operator} verify attempt 1`, `${operator} send millwright.work`, `${agent} process WORK`];
  const effect = [`${operator} attempt 1`, `${operator} send millwright.effects`];
  const result = [`${agent} send millwright.results`, `${operator} process millwright.results`];
  const done = [`${publisher} process millwright.effects`, `${operator} process millwright.results`];
  const ways = [
    [...run, `${agent} agent checkout`],
    [...run, `${agent} agent work`],
    [...run, `${agent} agent push`],
    [...run, ...result],
    ...(status?.verifier
      ? [
          [...verify, `${agent} agent verify`],
          [...verify, ...result],
        ]
      : []),
    ...(status?.branch ? [[...effect, ...done]] : []),
  ];
  return ways.map((way) => way.join(' › '));
}

/** The way to a span from the task's span above it; undefined when there is none. */
function wayTo(span: Span, spans: ReadonlyMap<string, Span>): { task: string; way: string } | undefined {
  const way: string[] = [];
  for (let one: Span | undefined = span; one; one = one.parent === undefined ? undefined : spans.get(one.parent)) {
    if (one.name.startsWith('task ')) return { task: one.name.slice(5), way: way.join(' › ') };
    way.unshift(`${one.service} ${one.name.replace(/^process work\..*/, 'process WORK')}`);
  }
  return undefined;
}

/** Waits until every hop of every task is there, and checks what else is true of a whole trace. */
async function isWhole(workflow: string): Promise<Span[]> {
  const { status } = await team.workflow(workflow);
  expect(status?.phase).toBe('Succeeded');
  const tasks = await team.tasks(workflow);
  const expected = Object.entries(tasks).flatMap(([name, task]) => hopsOf(task).map((way) => `${name}: ${way}`));
  let spans: Span[] = [];
  const missing = async () => {
    spans = await traceOf(world.environment.jaegerUrl, status?.traceID ?? '');
    const byId = new Map(spans.map((span) => [span.id, span]));
    const found = spans.flatMap((span) => wayTo(span, byId) ?? []).map(({ task, way }) => `${task}: ${way}`);
    return {
      roots: rootsOf(spans).map(({ name }) => name),
      orphans: orphansOf(spans).map(({ service, name }) => `${service} ${name}`),
      hops: expected.filter((way) => !found.includes(way)),
    };
  };
  await expect
    .poll(missing, { timeout: 60_000, interval: 1_000 })
    .toEqual({ roots: [`workflow ${workflow}`], orphans: [], hops: [] });
  const root = rootsOf(spans)[0];
  const below = spans.filter(({ parent }) => parent === root?.id).map(({ name }) => name);
  expect(below.sort()).toEqual(['task first', 'task last', 'task left', 'task right']);
  return spans;
}

test('a Workflow is one trace: one root, no orphan, every hop below the one before', async () => {
  await team.create(relay('traced'));
  await team.ended('traced');
  const spans = await isWhole('traced');
  expect(new Set(spans.map(({ service }) => service))).toEqual(new Set([operator, agent, publisher]));
  for (const { name, tags } of spans.filter((span) => /^(send|process) /.test(span.name))) {
    const [operation, destination] = name.split(' ');
    expect(tags).toMatchObject({
      'messaging.system': 'rabbitmq',
      'messaging.operation.name': operation,
      'messaging.operation.type': operation,
      'messaging.destination.name': destination,
      'messaging.message.id': expect.stringMatching(/^[0-9a-f-]{36}:1/),
      'span.kind': operation === 'send' ? 'producer' : 'consumer',
    });
  }
  const work = spans.filter(({ name }) => name === 'send millwright.work');
  for (const { tags } of work)
    expect(tags['messaging.rabbitmq.destination.routing_key']).toMatch(new RegExp(`^work\\.${team.namespace}\\.`));
});

test('and stays one when its operator is killed in the middle', async () => {
  await team.create(relay('traced-on'));
  await holderOf(team, 'traced-on', 'left');
  const { status } = await team.workflow('traced-on');
  // What the killed process had sent is not the matter here: all that it knew of `first`, whose last sign this is, has arrived.
  const isKnown = (spans: Span[]) => spans.filter(({ name }) => name === 'process millwright.results').length >= 3;
  await until(() => traceOf(world.environment.jaegerUrl, status?.traceID ?? ''), isKnown, 60);
  const pod = await leader(world.ctx);
  const now = ['--grace-period=0', '--force'];
  await world.cluster.kubectl(['delete', 'pod', pod, '--namespace', SYSTEM_NAMESPACE, ...now]);
  await team.ended('traced-on');
  const spans = await isWhole('traced-on');
  const leaders = new Set(spans.filter(({ service }) => service === operator).map(({ instance }) => instance));
  expect(leaders.size).toBe(2);
});
