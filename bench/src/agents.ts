import type { Broker } from '@millwright/broker';
import type { GrantMessage, WorkMessage } from '@millwright/crds';
import { startPlainAgents } from '@millwright/operator/testing';
import type { Cleanup } from './cleanup.ts';
import { IMAGE, POOL, type Rig } from './rig.ts';

/** Agents in the bench process, which know when they have answered all tasks of a Workflow. */
export interface Agents extends AsyncDisposable {
  broker: Broker;
  /** Resolves when results of so many different tasks of the Workflow have been sent. */
  answered(workflow: string, tasks: number): Promise<void>;
}

export interface AgentsOptions {
  rig: Rig;
  cleanup: Cleanup;
  onDelivery?: (task: TaskName, at: number) => void;
  onResult?: (task: TaskName, at: number) => void;
  /** Resolves when a granted task is done; at once unless told. */
  perform?: (task: TaskName, grant: GrantMessage) => Promise<void> | undefined;
}

/** What an AgentTask's name tells. */
export interface TaskName {
  workflow: string;
  task: string;
}

/** `<workflow>-<task>-<hash>`: neither name has dashes in the benchmarks. */
export function taskName({ name }: WorkMessage['task']): TaskName {
  const [workflow = '', task = ''] = name.split('-');
  return { workflow, task };
}

interface Count {
  tasks: Set<string>;
  /** Called when there are as many. */
  waiting?: { tasks: number; resolve: () => void };
}

export async function startAgents({ rig, cleanup, ...hooks }: AgentsOptions): Promise<Agents> {
  const counts = new Map<string, Count>();
  const countOf = (workflow: string): Count => {
    let count = counts.get(workflow);
    if (!count) {
      count = { tasks: new Set() };
      counts.set(workflow, count);
    }
    return count;
  };
  const agents = await startPlainAgents({
    amqpUrl: rig.agentUrl,
    namespace: rig.namespace,
    pool: POOL,
    image: IMAGE,
    concurrency: 1000,
    onDelivery: (work, at) => hooks.onDelivery?.(taskName(work.task), at),
    perform: async (grant) => {
      await hooks.perform?.(taskName(grant.task), grant);
      return {};
    },
    onResult: (grant, at) => {
      const name = taskName(grant.task);
      hooks.onResult?.(name, at);
      const count = countOf(name.workflow);
      count.tasks.add(name.task);
      if (count.tasks.size === count.waiting?.tasks) count.waiting.resolve();
    },
  });
  return {
    broker: agents.broker,
    answered(workflow, tasks) {
      const count = countOf(workflow);
      if (count.tasks.size >= tasks) return Promise.resolve();
      return new Promise((resolve) => {
        count.waiting = { tasks, resolve };
      });
    },
    [Symbol.asyncDispose]: cleanup.add(() => agents.close()),
  };
}
