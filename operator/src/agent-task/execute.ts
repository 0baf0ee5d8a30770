import {
  type Broker,
  messageIds,
  PublishError,
  targets,
  UnencodableError,
  UnroutableError,
  type WorkKey,
} from '@millwright/broker';
import {
  type AgentTask,
  claimReply,
  controlMessage,
  dropMessage,
  effectMessage,
  revokeMessage,
  workMessage,
} from '@millwright/crds';
import { type Logger, traceparent } from '@millwright/otel';
import { type Cluster, resources } from '../cluster.ts';
import { buildGrant, type GrantSettings } from '../dispatch/grant.ts';
import type { WorkQueues } from '../dispatch/work-queues.ts';
import { attemptSpan, sentTrace, traceOf } from '../message-spans.ts';
import { isNotFound, type KubeClient } from '../runtime/index.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { StatusWriter } from '../status-writer.ts';
import type { TaskAction } from './actions.ts';
import type { TaskMemories } from './memory.ts';
import { identityOf, originOf } from './names.ts';
import { podState } from './observe.ts';
import { workflowOf } from './owner.ts';
import { REPEAT_WORK_MS } from './publish-work.ts';

export interface ExecuteTaskOptions {
  kube: KubeClient;
  broker: Broker;
  cluster: Cluster;
  memories: TaskMemories;
  scheduler: Scheduler;
  workQueues: WorkQueues;
  writeStatus: StatusWriter<AgentTask>;
  settings: GrantSettings;
  /** Tells agents about a work queue that is new. */
  announceQueue: (namespace: string, key: WorkKey) => Promise<void>;
  epoch: () => number;
  now: () => number;
  logger: Logger;
}

/** Runs the actions of a plan in order. Throws at the first that fails: the task is then planned anew. Returns a wish to look again. */
export async function executeTask(
  task: AgentTask,
  actions: readonly TaskAction[],
  options: ExecuteTaskOptions,
): Promise<number | undefined> {
  const key = `${task.metadata.namespace}/${task.metadata.name}`;
  let current = task;
  let againMs: number | undefined;
  for (const action of actions) {
    switch (action.do) {
      case 'request':
        options.scheduler.request(action.candidate);
        break;
      case 'occupy':
        occupy(current, key, action.pool, options);
        break;
      case 'release':
        options.scheduler.release(key);
        options.workQueues.settled(key);
        // No sandbox is started for it any more, and who claims it is turned away: it has to be published anew.
        options.memories.workLost(key);
        break;
      case 'publishWork':
        await publishWork(current, key, action, options);
        break;
      case 'publishBranch':
        await publishBranch(current, action, options);
        break;
      case 'status': {
        const outcome = await options.writeStatus(current, action.status, action);
        if (outcome.state === 'written') current = outcome.object;
        else if (outcome.state === 'delayed') againMs = Math.min(againMs ?? outcome.delayMs, outcome.delayMs);
        break;
      }
      case 'grant':
        await grant(current, key, action, options);
        break;
      case 'drop':
        // The plan was made before, and would look again much later: nobody is delivered the work until it is published anew.
        if (await drop(current, key, action, options)) againMs = Math.min(againMs ?? REPEAT_WORK_MS, REPEAT_WORK_MS);
        break;
      case 'settle':
        options.memories.settle(task.metadata, action.messages);
        break;
      case 'cancel':
        await control(current, action.attempt, action.reason, options);
        options.memories.of(task.metadata).cancelSentAt = options.now();
        break;
      case 'endAttempt':
        options.memories.endAttempt(task.metadata);
        revoke(current, action.attempt, options);
        break;
      case 'confirmSandbox':
        await confirmSandbox(current, action.pod, options);
        againMs = 0;
        break;
      case 'deleteSandbox':
        await deleteSandbox(current, action.pod, options);
        break;
      case 'delete':
        await deleteTask(current, options);
        break;
    }
  }
  return againMs;
}

function occupy(task: AgentTask, key: string, pool: string, { scheduler }: ExecuteTaskOptions): void {
  const workflow = workflowOf(task)?.uid;
  scheduler.occupy({
    key,
    uid: task.metadata.uid,
    project: `${task.metadata.namespace}/${task.spec.projectRef.name}`,
    ...(workflow === undefined ? {} : { workflow }),
    pool,
  });
}

async function publishWork(
  task: AgentTask,
  key: string,
  { attempt, kind, key: workKey, pool }: Extract<TaskAction, { do: 'publishWork' }>,
  { broker, memories, workQueues, announceQueue, now }: ExecuteTaskOptions,
): Promise<void> {
  const { namespace } = task.metadata;
  const queue = await broker.ensureWorkQueue({ namespace, ...workKey });
  const { isNew } = workQueues.use(namespace, workKey);
  if (isNew)
    await announceQueue(namespace, workKey).catch((error: unknown) => {
      // Agents that have said hello before do not know it yet, so the next pass has to tell them.
      workQueues.forget(namespace, queue);
      throw error;
    });
  await broker.publish(
    targets.work(queue),
    workMessage,
    { type: 'work', kind, task: identityOf(task), attempt, capabilities: [...workKey.capabilities] },
    { messageId: messageIds.work(task.metadata.uid, attempt, kind), traceparent: sentTrace(task, attempt, kind) },
  );
  const memory = memories.of(task.metadata);
  memory.published.work = { attempt, kind, key: workKey, pool, at: now() };
  memory.sendings[kind] = { at: now(), routingKey: queue };
  const { image, capabilities } = workKey;
  workQueues.published(key, { namespace, queue, pool: pool.slice(namespace.length + 1), image, capabilities, kind });
}

async function publishBranch(
  task: AgentTask,
  { attempt, retry, commit, ref, base, branch }: Extract<TaskAction, { do: 'publishBranch' }>,
  { broker, memories, settings, epoch, now }: ExecuteTaskOptions,
): Promise<void> {
  const id = messageIds.effect(task.metadata.uid, attempt, 'branch');
  await broker.publish(
    targets.effects,
    effectMessage,
    {
      type: 'publishBranch',
      id,
      task: identityOf(task),
      attempt,
      retry,
      epoch: epoch(),
      project: task.spec.projectRef.name,
      ref,
      commit,
      base,
      branch,
      replaces: { committer: settings.author.email, lines: originOf(task) },
    },
    { messageId: id, traceparent: sentTrace(task, attempt, 'effect') },
  );
  const memory = memories.of(task.metadata);
  memory.published.effect = { attempt, at: now() };
  memory.sendings.effect = { at: now() };
}

async function grant(
  task: AgentTask,
  key: string,
  { claim, kind }: Extract<TaskAction, { do: 'grant' }>,
  { broker, cluster, memories, workQueues, settings, now, logger }: ExecuteTaskOptions,
): Promise<void> {
  const held = memories.claim(task.metadata, claim);
  if (!held) return;
  const project = cluster.projects.store.get(`${task.metadata.namespace}/${task.spec.projectRef.name}`);
  const message = project && buildGrant(task, project, kind, settings, now());
  workQueues.settled(key);
  const { delivery } = held;
  if (message && delivery.replyTo !== undefined) {
    memories.of(task.metadata).lastHeartbeatAt = now();
    await broker
      .reply(delivery.replyTo, claimReply, message, {
        correlationId: delivery.correlationId,
        traceparent: traceparent(traceOf(task), attemptSpan(task.metadata.uid, message.attempt, kind)),
      })
      .catch((error: unknown) => {
        // The status names the agent by now, so it must hear of it: the claim stays, and the next pass, which comes with backoff, gives the
        // same answer. It may be a second one.
        if (mayPass(error)) throw error;
        logger.warn('a grant could not be delivered', { task: key, pod: held.message.agent.pod, error: String(error) });
      });
  }
  memories.settleClaim(task.metadata, held);
}

/** Whether a message that was not sent now may be later: nothing is wrong with the message itself, or with where it is to go. */
const mayPass = (error: unknown): boolean =>
  error instanceof PublishError && !(error instanceof UnencodableError || error instanceof UnroutableError);

/** Returns whether that took the published work off its queue. */
async function drop(
  task: AgentTask,
  key: string,
  { claim, reason }: Extract<TaskAction, { do: 'drop' }>,
  { broker, memories, logger }: ExecuteTaskOptions,
): Promise<boolean> {
  const held = memories.takeClaim(task.metadata, claim);
  if (!held) return false;
  const { delivery, message } = held;
  const { work } = memories.of(task.metadata).published;
  const isTaken = work?.attempt === message.attempt && work.kind === message.kind;
  if (isTaken) work.dropped = true;
  // Settled first: delivered once more to another leader, it might be granted to an agent that was told not to wait. One that hears
  // nothing asks again.
  delivery.ack();
  if (delivery.replyTo !== undefined)
    await broker
      .reply(
        delivery.replyTo,
        dropMessage,
        { type: 'drop', task: identityOf(task), attempt: message.attempt, reason: reason.slice(0, 256) },
        { correlationId: delivery.correlationId },
      )
      .catch((error: unknown) => logger.info('a drop could not be delivered', { task: key, error: String(error) }));
  return isTaken;
}

async function control(
  task: AgentTask,
  attempt: number,
  reason: string,
  { broker }: ExecuteTaskOptions,
): Promise<void> {
  await broker.publish(
    targets.agents(task.metadata.namespace),
    controlMessage,
    { type: 'cancel', task: identityOf(task), attempt, reason: reason.slice(0, 256) },
    { mandatory: false },
  );
}

/** Best effort: a token that is not revoked expires by itself, and results of the attempt are refused anyway. */
function revoke(task: AgentTask, attempt: number, { broker, logger }: ExecuteTaskOptions): void {
  broker
    .publish(
      targets.revocations,
      revokeMessage,
      { type: 'revoke', task: identityOf(task), attempt },
      { mandatory: false, persistent: false },
    )
    .catch((error: unknown) =>
      logger.info('a token was not revoked', { task: task.metadata.name, error: String(error) }),
    );
}

async function confirmSandbox(task: AgentTask, name: string, { kube, memories }: ExecuteTaskOptions): Promise<void> {
  const { namespace } = task.metadata;
  const pod = await kube.get(resources.pods, { namespace, name }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  const memory = memories.of(task.metadata);
  if (podState(pod) === 'alive') delete memory.gone;
  else if (memory.gone) memory.gone.confirmed = true;
}

async function deleteSandbox(task: AgentTask, name: string, { kube }: ExecuteTaskOptions): Promise<void> {
  await kube
    .delete(resources.pods, { namespace: task.metadata.namespace, name }, { gracePeriodSeconds: 10 })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
}

/** By its uid: another task may have its name by now. */
async function deleteTask(task: AgentTask, { kube }: ExecuteTaskOptions): Promise<void> {
  const { namespace, name, uid } = task.metadata;
  await kube
    .delete(resources.tasks, { namespace, name }, { uid, propagationPolicy: 'Background' })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
}
