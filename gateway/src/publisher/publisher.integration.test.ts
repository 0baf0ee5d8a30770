import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Broker, connect, targets, topology } from '@millwright/broker';
import { createTestVhost } from '@millwright/broker/testing';
import { type EffectMessage, type EffectResultMessage, effectMessage, effectResultMessage } from '@millwright/crds';
import { createMetrics, noTelemetry, silentLogger } from '@millwright/otel';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createFence } from '../fence/fence.ts';
import { fileProjects } from '../shared/projects.ts';
import { clientGit, commit, type Forge, startForge } from '../testing/forge.ts';
import { signingKey, startGitHost, type TestGitHost, tokenFor } from '../testing/git-host.ts';
import { effectHandler } from './effects.ts';
import { publishBranch } from './publish-branch.ts';

let cleanUp: AsyncDisposableStack;
let folder: string;
let forge: Forge;
let host: TestGitHost;
let broker: Broker;
let upstream: Awaited<ReturnType<Forge['repository']>>;
let work: string;
let answers: EffectResultMessage[];
let performed: number;
/** What the handler does: replaced by tests that break it. */
let perform: (effect: EffectMessage) => Promise<EffectResultMessage | undefined>;

const branch = 'ai/generated/fix-tests/build';

beforeEach(async () => {
  cleanUp = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), 'millwright-publisher-'));
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  const vhost = cleanUp.use(await createTestVhost());
  forge = await startForge(join(folder, 'forge'));
  cleanUp.defer(() => forge.close());
  upstream = await forge.repository('app');
  host = await startGitHost(folder);
  cleanUp.defer(() => host.close());
  await host.setProjects({ 'team/app': { url: upstream.url, credentials: forge.credentials } });
  work = join(folder, 'work');
  await clientGit(folder, 'clone', '-q', host.cloneUrl(tokenFor()), work);

  broker = await connect({ url: vhost.url, name: 'publisher-test', topology: 'declare' });
  cleanUp.defer(() => broker.close());
  answers = [];
  performed = 0;
  await broker.consume(
    topology.answers,
    effectResultMessage,
    (delivery) => {
      answers.push(delivery.message);
      delivery.ack();
    },
    { prefetch: 100 },
  );
  const fence = createFence();
  cleanUp.defer(() => fence.close());
  const options = {
    lookup: fileProjects(join(folder, 'projects.json')),
    isWanted: async () => true,
    fence,
    gitUrls: [host.url],
    signingKey,
    workDir: join(folder, 'publisher'),
  };
  perform = (effect) => {
    performed += 1;
    return publishBranch(effect, options);
  };
  const handle = effectHandler({
    broker,
    perform: (effect) => perform(effect),
    log: silentLogger,
    metrics: createMetrics('publisher'),
    telemetry: noTelemetry,
  });
  await broker.consume(topology.effects, effectMessage, handle, { prefetch: 8 });
});
afterEach(() => cleanUp.disposeAsync());

async function produce(attempt = 1): Promise<EffectMessage> {
  const origin = `Millwright-Branch: ${branch}`;
  const produced = await commit(work, { 'fix.txt': `attempt ${attempt}` }, `Fix\n\n${origin}`);
  await clientGit(work, 'push', '-q', host.cloneUrl(tokenFor({ attempt })), `HEAD:refs/attempts/task-1/${attempt}`);
  return {
    type: 'publishBranch',
    id: `task-1:${attempt}:branch`,
    task: { uid: 'task-1', namespace: 'team', name: 'build' },
    attempt,
    retry: 0,
    epoch: 5,
    project: 'app',
    ref: `refs/attempts/task-1/${attempt}`,
    commit: produced,
    base: 'refs/workflows/wf-1/base',
    branch,
    replaces: { committer: 'test@example.com', lines: [origin] },
  };
}
const send = (effect: EffectMessage) => broker.publish(targets.effects, effectMessage, effect);
const published = async () =>
  (await clientGit(upstream.bare, 'for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`)).trim();
const settled = () => vi.waitFor(async () => expect((await broker.queueDepth(topology.effects)).messages).toBe(0));

it('publishes, answers, and answers a duplicate the same', async () => {
  const effect = await produce();
  await Promise.all([send(effect), send(effect), send(effect)]);
  await vi.waitFor(() => expect(answers).toHaveLength(3), { timeout: 20_000 });
  for (const answer of answers)
    expect(answer).toMatchObject({ ok: true, id: effect.id, commit: effect.commit, branch });
  expect(await published()).toBe(effect.commit);
  await settled();
});

it('drops what an earlier leader decided once a later one has spoken', async () => {
  const effect = await produce();
  await send(effect);
  await vi.waitFor(() => expect(answers).toHaveLength(1), { timeout: 20_000 });
  await send({ ...effect, epoch: 4, commit: upstream.head });
  const next = await produce(2);
  await send({ ...next, epoch: 4 });
  await vi.waitFor(() => expect(answers).toHaveLength(2), { timeout: 20_000 });
  expect(answers.map(({ id }) => id)).toEqual([effect.id, next.id]);
  expect(performed).toBe(2);
  expect(await published()).toBe(next.commit);
  await settled();
});

it('does one effect of a project at a time', async () => {
  let now = 0;
  let most = 0;
  const real = perform;
  perform = async (effect) => {
    now += 1;
    most = Math.max(most, now);
    try {
      return await real(effect);
    } finally {
      now -= 1;
    }
  };
  const effects = [await produce(1), await produce(2), await produce(3)];
  await Promise.all(effects.map(send));
  await vi.waitFor(() => expect(answers).toHaveLength(3), { timeout: 20_000 });
  expect(most).toBe(1);
});

it('does it once more when its answer was lost, which changes nothing', async () => {
  const effect = await produce();
  let broken = true;
  const intact = broker.publish;
  Object.assign(broker, {
    publish: (...args: Parameters<Broker['publish']>) => {
      if (broken && args[0].exchange === topology.answers) {
        broken = false;
        return Promise.reject(new Error('connection lost'));
      }
      return intact.apply(broker, args);
    },
  });
  await send(effect);
  await vi.waitFor(() => expect(answers).toHaveLength(1), { timeout: 30_000 });
  expect(performed).toBe(2);
  expect(await published()).toBe(effect.commit);
  await settled();
});
