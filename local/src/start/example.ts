import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentTask, isFinished, labels, type Workflow } from '@millwright/crds';
import type { Context } from '../service.ts';
import type { Cluster } from './cluster.ts';
import { ensureNamespace } from './install.ts';

export interface Outcome {
  succeeded: boolean;
  /** Where the branches are. */
  repositoryUrl: string;
  workflow: Workflow;
  tasks: AgentTask[];
}

/** After this long without an end something is wrong that waiting does not mend. */
const LIMIT_MS = 15 * 60_000;
const POLL_MS = 500;

/** Applies the quickstart example under a fresh name and follows it to its end. */
export async function runExample(ctx: Context, cluster: Cluster): Promise<Outcome> {
  const { kubectl, namespace } = cluster;
  const folder = join(ctx.repository, 'examples/quickstart');
  await ensureNamespace(cluster, namespace);
  const manifestOf = (file: string): string =>
    Object.entries(cluster.substitutions).reduce(
      (text, [said, meant]) => text.replaceAll(said, meant),
      readFileSync(join(folder, file), 'utf8'),
    );
  for (const file of ['project.yaml', 'agent-pool.yaml'])
    await kubectl(['apply', '--namespace', namespace, '-f', '-'], manifestOf(file));
  const manifest = manifestOf('workflow.yaml');
  // A Workflow runs once: each start makes one of its own, and the branches of former ones stay.
  const name = `modernize-${Math.floor(Date.now() / 1000).toString(36)}`;
  await kubectl(
    ['create', '--namespace', namespace, '-f', '-'],
    manifest.replace(/^ {2}name: modernize$/m, `  name: ${name}`),
  );
  ctx.say(`  Workflow ${namespace}/${name}: kubectl get mwf,mtask -n ${namespace}`);
  const outcome = await ctx.step(
    `Running Workflow ${name.slice(0, name.lastIndexOf('-'))}`,
    (report) => follow(ctx, cluster, name, report),
    45,
  );
  const project = outcome.workflow.spec.projectRef.name;
  const url = ['-o', 'jsonpath={.spec.repository.url}'];
  return { ...outcome, repositoryUrl: await kubectl(['get', 'project', project, '--namespace', namespace, ...url]) };
}

async function follow(
  ctx: Context,
  { kubectl, namespace }: Cluster,
  name: string,
  report: (fraction: number | undefined, detail?: string) => void,
): Promise<Omit<Outcome, 'repositoryUrl'>> {
  const shown = new Map<string, string>();
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    const workflow = JSON.parse(
      await kubectl(['get', 'mwf', name, '--namespace', namespace, '-o', 'json']),
    ) as Workflow;
    const selector = `${labels.workflow}=${name}`;
    const list = await kubectl(['get', 'mtask', '--namespace', namespace, '--selector', selector, '-o', 'json']);
    const tasks = (JSON.parse(list) as { items: AgentTask[] }).items;
    for (const task of tasks) {
      const { phase = 'Pending', reason = '', message = '' } = task.status ?? {};
      const state = `${phase}/${reason}`;
      const label = nameOf(task);
      if (shown.get(label) === state || phase === 'Pending') continue;
      shown.set(label, state);
      ctx.say(`    ${mark(phase)} ${label.padEnd(16)} ${phase.padEnd(10)} ${message || reason}`);
    }
    const total = workflow.spec.tasks.length;
    const ended = tasks.filter((task) => isFinished(task.status?.phase)).length;
    report(ended / total, `${ended}/${total} tasks`);
    if (isFinished(workflow.status?.phase))
      return { succeeded: workflow.status?.phase === 'Succeeded', workflow, tasks };
    if (Date.now() > deadline)
      throw new Error(
        `Workflow ${name} has not ended after ${LIMIT_MS / 60_000} minutes: ${workflow.status?.message ?? 'it has no status'}. See kubectl describe mwf ${name} -n ${namespace}`,
      );
    await sleep(POLL_MS);
  }
}

export const nameOf = (task: AgentTask): string => task.metadata.labels?.[labels.task] ?? task.metadata.name;

function mark(phase: string): string {
  if (phase === 'Succeeded') return '✓';
  return phase === 'Failed' || phase === 'Cancelled' ? '✗' : '·';
}
