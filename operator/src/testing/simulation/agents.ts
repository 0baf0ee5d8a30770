import { createHash } from 'node:crypto';
import { poolUser } from '@millwright/broker';
import {
  type AgentPool,
  type AgentTask,
  type ClaimReply,
  type GrantMessage,
  labels,
  type ResultMessage,
  type WorkMessage,
} from '@millwright/crds';
import type { Pod } from '../../cluster.ts';
import type { Api } from './api.ts';
import type { Envelope, SimulatedBroker } from './broker.ts';
import type { Chance } from './chance.ts';
import type { Laws } from './laws.ts';
import type { Outcome } from './scenario.ts';
import type { Step } from './step.ts';

/** Claims are asked for again after this. */
const CLAIM_TIMEOUT_MS = 30_000;
/** Less than what the operator forgives a task. */
const MAX_LOSSES = 4;

interface Agent {
  pod: string;
  pool: AgentPool;
  state: 'idle' | 'claiming' | 'busy';
  delivery?: { queue: string; envelope: Envelope };
  correlation?: string;
  since?: number;
  grant?: GrantMessage;
  /** Sends no heartbeats, but may still send its result. */
  isSilent?: boolean;
  /** Told to end; another has taken its place. */
  isReplaced?: boolean;
}

export interface AgentsOptions {
  api: Api;
  broker: SimulatedBroker;
  laws: Laws;
  chance: Chance;
  now: () => number;
  /** What comes of the counted attempts of a task, by its name in the DAG. */
  outcomes: (task: string) => readonly Outcome[];
  /** Sandboxes may die or fall silent. */
  mayFail: boolean;
  /** Messages may arrive twice. */
  mayRepeat: boolean;
}

/** Agents in sandboxes, as many per pool as it allows. Each returned function does one step. */
export function createAgents(options: AgentsOptions) {
  const { api, broker, laws, chance, now } = options;
  const agents = new Map<string, Agent>();
  const losses = new Map<string, number>();
  /** Messages that come once more, some time. */
  const echoes: Envelope[] = [];
  let count = 0;
  /** A reply goes to the connection that asked, and nowhere once that is gone. */
  let connection = 1;

  function start(pool: AgentPool): void {
    const pod = `${pool.metadata.name}-${++count}`;
    api.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: pod,
        namespace: pool.metadata.namespace,
        labels: { [labels.pool]: pool.metadata.name },
      } as unknown as Pod['metadata'],
      status: { phase: 'Running' },
    });
    agents.set(pod, { pod, pool, state: 'idle' });
  }

  function end(agent: Agent, phase: 'Succeeded' | 'Failed'): void {
    const { namespace } = agent.pool.metadata;
    agents.delete(agent.pod);
    if (api.get('Pod', `${namespace}/${agent.pod}`))
      api.patch('Pod', `${namespace}/${agent.pod}`, { status: { phase } }, undefined);
    giveBack(agent);
    if (!agent.isReplaced) start(agent.pool);
  }

  /** What it had not acknowledged is delivered again. */
  function giveBack(agent: Agent): void {
    if (agent.delivery) broker.work.get(agent.delivery.queue)?.ready.unshift(agent.delivery.envelope);
    delete agent.delivery;
  }

  /** After a pause in a retry queue, so that others come first. */
  function giveUp(agent: Agent): void {
    const { queue, envelope } = agent.delivery ?? {};
    if (queue !== undefined && envelope) broker.work.get(queue)?.ready.push(envelope);
    delete agent.delivery;
    agent.state = 'idle';
  }

  function send(agent: Agent, body: unknown, more: Partial<Envelope> = {}): void {
    const userId = poolUser(agent.pool.metadata.namespace, agent.pool.metadata.name);
    const envelope = { body, userId, sentAt: now(), ...more };
    broker.results.push(envelope);
    if (options.mayRepeat && chance.unusual(6)) echoes.push({ ...envelope });
  }

  function claim(agent: Agent, queue: string, envelope: Envelope): void {
    const { kind, task, attempt } = envelope.body as WorkMessage;
    Object.assign(agent, { state: 'claiming', delivery: { queue, envelope }, correlation: `${++count}`, since: now() });
    send(
      agent,
      { type: 'claim', kind, task, attempt, agent: { pool: agent.pool.metadata.name, pod: agent.pod } },
      { replyTo: `${agent.pod}#${connection}`, correlationId: `${count}` },
    );
  }

  broker.onReply = (replyTo, correlationId, body) => {
    const [pod = '', asked] = replyTo.split('#');
    const agent = Number(asked) === connection ? agents.get(pod) : undefined;
    const reply = body as ClaimReply;
    if (!agent) return;
    if (reply.type === 'grant') {
      const { task, attempt, kind } = reply;
      const stored = api.get('AgentTask', `${task.namespace}/${task.name}`) as AgentTask | undefined;
      laws.granted(task, stored, attempt, kind, pod);
    }
    if (agent.state !== 'claiming' || agent.correlation !== correlationId) return;
    delete agent.delivery;
    if (reply.type === 'drop') agent.state = 'idle';
    else Object.assign(agent, { state: 'busy', grant: reply });
  };
  broker.isWaiting = (replyTo) => replyTo.endsWith(`#${connection}`) && agents.has(replyTo.split('#')[0] ?? '');

  broker.onControl = (message) => {
    if (message.type !== 'cancel') return;
    for (const agent of agents.values())
      if (agent.grant?.task.uid === message.task.uid && agent.grant.attempt === message.attempt)
        finish(agent, 'cancelled');
  };

  /** The agent sends its result and its sandbox ends. */
  function finish(agent: Agent, how?: 'cancelled'): void {
    const { grant } = agent;
    if (!grant) return;
    const { task, attempt, kind, token } = grant;
    const times = { startedAt: new Date(now()).toISOString(), finishedAt: new Date(now()).toISOString() };
    const common = { type: 'result', kind, task, attempt, token, ...times } as const;
    const outcome = how ?? outcomeOf(grant);
    const result: ResultMessage = { ...common, ...answerOf(outcome, grant, agent.pod) };
    if (result.commit !== undefined) laws.produced(task.uid, attempt, result.commit);
    send(agent, result);
    end(agent, 'Succeeded');
  }

  /** Attempts that the infrastructure lost do not count. */
  function outcomeOf({ task, attempt }: GrantMessage): Outcome {
    const stored = api.get('AgentTask', `${task.namespace}/${task.name}`) as AgentTask | undefined;
    const counted = attempt - (stored?.status?.infrastructureFailures ?? 0);
    return options.outcomes(stored?.metadata.labels?.[labels.task] ?? '')[counted - 1] ?? 'works';
  }

  function answerOf(
    outcome: Outcome | 'cancelled',
    { task, attempt, kind }: GrantMessage,
    pod: string,
  ): Pick<ResultMessage, 'outcome'> & Partial<ResultMessage> {
    if (outcome === 'cancelled') return { outcome: 'cancelled' };
    if (kind === 'verify')
      return outcome === 'fails verification'
        ? { outcome: 'failed', class: 'verification', tests: { passed: 0, total: 1 } }
        : { outcome: 'succeeded', tests: { passed: 1, total: 1 } };
    if (outcome === 'fails') return { outcome: 'failed', class: 'agent', reason: 'CommandFailed' };
    if (outcome === 'is refused') return { outcome: 'failed', class: 'governance', reason: 'PathViolation' };
    const commit = createHash('sha1').update(`${task.uid}:${attempt}:${pod}`).digest('hex');
    return { outcome: 'succeeded', ...(outcome === 'changes nothing' ? {} : { commit }) };
  }

  function mayLose({ grant }: Agent): boolean {
    return options.mayFail && !chance.isOver && grant !== undefined && (losses.get(grant.task.uid) ?? 0) < MAX_LOSSES;
  }
  function lose({ grant }: Agent): void {
    if (grant) losses.set(grant.task.uid, (losses.get(grant.task.uid) ?? 0) + 1);
  }

  const offers = ({ spec }: AgentPool, capabilities: readonly string[]) =>
    capabilities.every((c) => spec.capabilities.includes(c));

  return {
    start,
    /** The sandbox is told to end. It takes its time, and may still send its result. */
    kill(pod: string): void {
      const agent = agents.get(pod);
      if (!agent || agent.isReplaced) return;
      Object.assign(agent, { isSilent: true, isReplaced: true });
      start(agent.pool);
    },
    /** The connections of all agents were lost. */
    reconnect(): void {
      connection++;
      for (const agent of agents.values())
        if (agent.state === 'claiming') {
          giveBack(agent);
          agent.state = 'idle';
        }
    },
    heartbeats(): void {
      for (const agent of agents.values())
        if (agent.grant && !agent.isSilent)
          send(agent, {
            type: 'heartbeat',
            task: agent.grant.task,
            attempt: agent.grant.attempt,
            token: agent.grant.token,
          });
    },
    hasBusy: () => [...agents.values()].some((agent) => agent.grant && !agent.isSilent),
    /** What could happen next. */
    steps(): Step[] {
      const steps: Step[] = [];
      if (echoes.length > 0)
        steps.push({ what: 'a message comes again', run: () => void broker.results.push(...echoes.splice(0, 1)) });
      for (const agent of agents.values()) {
        const { state } = agent;
        if (state === 'idle')
          for (const [queue, { key, ready }] of broker.work)
            if (ready.length > 0 && offers(agent.pool, key.capabilities))
              steps.push({ what: `${agent.pod} claims`, run: () => claim(agent, queue, ready.shift() as Envelope) });
        if (state === 'claiming' && now() - (agent.since ?? 0) >= CLAIM_TIMEOUT_MS)
          steps.push({ what: `${agent.pod} gives up its claim`, run: () => giveUp(agent) });
        if (state !== 'busy') continue;
        // Silent, it comes back when it likes: mostly after it was given up.
        if (agent.isSilent && !chance.isOver && !chance.unusual(agent.isReplaced ? 8 : 20)) continue;
        steps.push({ what: `${agent.pod} finishes`, run: () => finish(agent) });
        if (!mayLose(agent)) continue;
        steps.push({
          what: `${agent.pod} dies`,
          run: () => {
            lose(agent);
            end(agent, 'Failed');
          },
        });
        if (!agent.isSilent)
          steps.push({
            what: `${agent.pod} falls silent`,
            run: () => {
              lose(agent);
              agent.isSilent = true;
            },
          });
      }
      return steps;
    },
  };
}

export type Agents = ReturnType<typeof createAgents>;
