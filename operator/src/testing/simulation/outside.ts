import { type Broker, ConnectionLostError, workQueueName } from '@millwright/broker';
import { type KubeClient, KubeError, keyOf, mergePatchBetween } from '../../runtime/index.ts';
import type { Api, Stored } from './api.ts';
import type { SimulatedBroker } from './broker.ts';
import type { Chance } from './chance.ts';

export interface OutsideOptions {
  api: Api;
  broker: SimulatedBroker;
  chance: Chance;
  /** Calls may fail, and the process may die at any of them, before or after it took effect. */
  mayFail: boolean;
  /** Status writes have no precondition. */
  trustsCache: boolean;
  killPod: (pod: string) => void;
  /** Something else that happens while a call is under way. */
  meanwhile: () => Promise<void>;
  isDead: () => boolean;
  die: () => void;
}

/** The process has died: everything it still tries comes to nothing. */
export class Died extends Error {}

/** What a process reaches: clients of the simulated API server and broker, as far as the operator uses them. */
export function connectOutside(options: OutsideOptions) {
  const { api, broker, chance, isDead, die } = options;

  /** A call to something outside, and what can become of it. */
  async function call<T>(act: () => T, fates = 24): Promise<T> {
    if (isDead()) throw new Died();
    const fate = options.mayFail && !chance.isOver ? chance.choose(fates) : 0;
    const lost = () =>
      new KubeError({ status: 0, reason: 'ECONNRESET', detail: 'lost' }, { method: 'SIMULATED', path: '' });
    if (fate === 20) die();
    if (fate === 20 || fate === 22) throw isDead() ? new Died() : lost();
    const value = act();
    if (!chance.isOver && chance.unusual(6)) await options.meanwhile();
    if (fate === 21) die();
    if (fate === 21 || fate === 23) throw isDead() ? new Died() : lost();
    return value;
  }

  const kube = {
    get: (resource: { kind: string }, { namespace, name }: { namespace: string; name: string }) =>
      call(() => {
        const found = api.get(resource.kind, `${namespace}/${name}`);
        if (!found)
          throw new KubeError({ status: 404, reason: 'NotFound', detail: name }, { method: 'GET', path: name });
        return found;
      }),
    create: (resource: { kind: string }, draft: object) =>
      call(() => api.create({ apiVersion: 'millwright.dev/v1alpha1', kind: resource.kind, ...draft } as Stored)),
    patchStatus: (resource: { kind: string }, current: Stored, status: object) =>
      mergePatchBetween(current.status ?? {}, status) === undefined
        ? current
        : call(() =>
            api.patch(
              resource.kind,
              keyOf(current),
              { status } as Partial<Stored>,
              options.trustsCache ? undefined : current.metadata.resourceVersion,
            ),
          ),
    delete: (resource: { kind: string }, { name }: { name: string }) =>
      call(() => (resource.kind === 'Pod' ? options.killPod(name) : undefined)),
  } as unknown as KubeClient;

  const connected = <T>(act: () => T) =>
    call(() => {
      if (!broker.isUp || !broker.takesFromOperator) throw new ConnectionLostError('away');
      return act();
      // A call to the broker fails with its connection only, which is a fault of its own.
    }, 22);
  const client = {
    get connected() {
      return broker.isUp && broker.takesFromOperator;
    },
    ensureWorkQueue: ({ namespace, ...key }: Parameters<Broker['ensureWorkQueue']>[0]) =>
      connected(() => {
        const name = workQueueName(namespace, key);
        if (!broker.work.has(name)) broker.work.set(name, { key, ready: [] });
        return name;
      }),
    publish: (
      target: { exchange: string; routingKey: string },
      schema: { parse: (body: unknown) => unknown },
      body: object,
    ) =>
      connected(() => {
        const envelope = { body: schema.parse(body), userId: 'operator' };
        if (target.exchange === 'millwright.work') broker.work.get(target.routingKey)?.ready.push(envelope);
        else if (target.exchange === 'millwright.effects') broker.effects.push(envelope);
        else if (target.exchange === 'millwright.agents') broker.onControl(envelope.body as never);
      }),
    isWaiting: (replyTo: string) => connected(() => broker.isWaiting(replyTo)),
    reply: (
      replyTo: string,
      schema: { parse: (body: unknown) => unknown },
      body: object,
      more: { correlationId?: string },
    ) =>
      connected(() => {
        broker.onReply(replyTo, more.correlationId, schema.parse(body));
      }),
  } as unknown as Broker;

  /** `connected`: for what a delivery does to the broker itself. */
  return { kube, client, connected };
}
