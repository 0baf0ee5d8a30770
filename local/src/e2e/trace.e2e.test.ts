import { randomBytes } from 'node:crypto';
import { type AgentTask, annotations } from '@millwright/crds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SYSTEM_NAMESPACE } from '../start/cluster.ts';
import { leader } from './control-plane.ts';
import { type Installed, installed } from './installed.ts';
import { orphansOf, rootsOf, type Span, search, traceOf } from './jaeger.ts';
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
const gateway = 'millwright-gateway';
const git = 'millwright-git';

/** The hops of a task's only attempt, each as its way down from the task's span. */
function hopsOf({ status }: AgentTask): string[] {
  const run = [`${operator} attempt 1`, `${operator} send millwright.work`, `${agent} process WORK`];
  const verify = [`${operator} verify attempt 1`, `${operator} send millwright.work`, `${agent} process WORK`];
  const effect = [`${operator} attempt 1`, `${operator} send millwright.effects`];
  const published = [...effect, `${publisher} process millwright.effects`];
  const result = [`${agent} send millwright.results`, `${operator} process millwright.results`];
  const claim = result.map((hop) => `${hop} (claim)`);
  const request = (method: string, route: string, servedAs: string) => [
    `${gateway} ${method} ${route}`,
    `${git} ${method} ${servedAs}`,
  ];
  const gitRequest = (method: string, path: string) =>
    request(method, '/git/:namespace/:repository/*', `/:namespace/:repository/${path}`);
  const fetched = [gitRequest('GET', 'info/refs'), gitRequest('POST', 'git-upload-pack')];
  const upload = request('PUT', '/artifacts/:digest', '/artifacts/:digest');
  /** What every sandbox does, whatever it was granted. */
  const common = (granted: string[]) => [
    [...granted, ...claim],
    [...granted, `${agent} ack WORK`],
    ...fetched.map((hops) => [...granted, `${agent} agent checkout`, ...hops]),
    [...granted, `${agent} agent upload`, ...upload],
    [...granted, ...result],
  ];
  const ways = [
    ...common(run),
    [...run, `${agent} agent work`],
    [...run, `${agent} agent push`],
    ...(status?.result?.commit ? [[...run, `${agent} agent push`, ...gitRequest('POST', 'git-receive-pack')]] : []),
    ...(status?.verifier ? [...common(verify), [...verify, `${agent} agent verify`]] : []),
    ...(status?.branch
      ? [
          [...published, `${operator} process millwright.answers`],
          [...published, `${publisher} ack millwright.effects`],
        ]
      : []),
  ];
  return ways.map((way) => way.join(' › '));
}

const isAboutClaim = ({ tags }: Span): boolean => /:claim:/.test(String(tags['messaging.message.id']));

/** The way to a span from the task's span above it; undefined when there is none. */
function wayTo(span: Span, spans: ReadonlyMap<string, Span>): { task: string; way: string } | undefined {
  const way: string[] = [];
  for (let one: Span | undefined = span; one; one = one.parent === undefined ? undefined : spans.get(one.parent)) {
    if (one.name.startsWith('task ')) return { task: one.name.slice(5), way: way.join(' › ') };
    const name = one.name.replace(/^(process|ack) work\..*/, '$1 WORK');
    way.unshift(`${one.service} ${name}${isAboutClaim(one) ? ' (claim)' : ''}`);
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

const messaging: Record<string, { type: string; kind: string }> = {
  send: { type: 'send', kind: 'producer' },
  process: { type: 'process', kind: 'consumer' },
  ack: { type: 'settle', kind: 'client' },
};

test('a Workflow is one trace: one root, no orphan, every hop below the one before', async () => {
  const cause = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
  const traceparent = `00-${cause.traceId}-${cause.spanId}-01`;
  const flow = relay('traced');
  await team.create({
    ...flow,
    metadata: { ...flow.metadata, annotations: { [annotations.traceparent]: traceparent } },
  });
  await team.ended('traced');
  const spans = await isWhole('traced');
  const { metadata, status } = await team.workflow('traced');
  const [root] = rootsOf(spans);
  expect(root?.links).toEqual([cause]);
  expect(root?.tags['cicd.pipeline.run.id']).toBe(metadata.uid);
  expect(new Set(spans.map(({ service }) => service))).toEqual(new Set([operator, agent, publisher, gateway, git]));
  for (const { name, tags } of spans.filter((span) => /^(send|process|ack) /.test(span.name))) {
    const [operation = '', destination] = name.split(' ');
    expect(tags).toMatchObject({
      'messaging.system': 'rabbitmq',
      'messaging.operation.name': operation,
      'messaging.operation.type': messaging[operation]?.type,
      'messaging.destination.name': destination,
      'messaging.message.id': expect.stringMatching(/^[0-9a-f-]{36}:1/),
      'span.kind': messaging[operation]?.kind,
    });
  }
  for (const { tags } of spans.filter(({ name }) => /^(verify )?attempt /.test(name))) {
    const sent = spans.find(({ resource }) => resource['k8s.pod.name'] === tags['k8s.pod.name']);
    expect(sent?.service).toBe(agent);
    for (const key of ['k8s.namespace.name', 'k8s.pod.uid', 'k8s.job.name']) {
      expect(tags[key]).toEqual(expect.stringMatching(/./));
      expect(sent?.resource[key]).toBe(tags[key]);
    }
  }
  const work = spans.filter(({ name }) => name === 'send millwright.work');
  for (const { tags } of work)
    expect(tags['messaging.rabbitmq.destination.routing_key']).toMatch(new RegExp(`^work\\.${team.namespace}\\.`));
  for (const name of ['reconcile workflow', 'reconcile agent-task']) {
    const tags = { 'millwright.workflow.uid': metadata.uid };
    const passes = await search(world.environment.jaegerUrl, { service: operator, name, tags });
    expect(passes.length).toBeGreaterThan(0);
    for (const { parent, links } of passes)
      expect({ parent, links }).toEqual({ parent: undefined, links: [{ traceId: status?.traceID, spanId: root?.id }] });
  }
});

test('and stays one when its operator is killed in the middle', async () => {
  await team.create(relay('traced-on'));
  for (const task of ['left', 'right']) await holderOf(team, 'traced-on', task);
  const { status } = await team.workflow('traced-on');
  // What the killed process had sent is not the matter here: what it has handled so far, two results and a branch of `first`, its claims and
  // those of `left` and `right`, has arrived.
  const isKnown = (spans: Span[]) => {
    const handled = (queue: string) => spans.filter(({ name }) => name === `process ${queue}`).length;
    return handled('millwright.results') >= 6 && handled('millwright.answers') >= 1;
  };
  await until(() => traceOf(world.environment.jaegerUrl, status?.traceID ?? ''), isKnown, 60);
  const pod = await leader(world.ctx);
  const now = ['--grace-period=0', '--force'];
  await world.cluster.kubectl(['delete', 'pod', pod, '--namespace', SYSTEM_NAMESPACE, ...now]);
  await team.ended('traced-on');
  const spans = await isWhole('traced-on');
  const leaders = new Set(spans.filter(({ service }) => service === operator).map(({ instance }) => instance));
  expect(leaders.size).toBe(2);
});
