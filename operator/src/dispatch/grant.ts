import {
  type AgentTask,
  type GrantMessage,
  MAX_MESSAGE_BYTES,
  type Project,
  signAttemptToken,
  type WorkKind,
  type Workspace,
} from '@millwright/crds';
import { attemptRef, baseRef, identityOf, originOf } from '../agent-task/names.ts';
import { taskNameOf, workflowOf } from '../agent-task/owner.ts';
import { fencingToken } from './fencing.ts';

export interface GrantSettings {
  /** Key of fencing tokens and attempt tokens. */
  signingKey: string;
  /** Base URL of the gateway as sandboxes reach it. */
  gatewayUrl: string;
  author: { name: string; email: string };
}

/** What an agent gets beyond the time limit to push and report: its token lives as much longer. */
const TOKEN_GRACE_S = 300;

/** The project's workspace, overridden field by field by the task's. */
export function workspaceOf(task: AgentTask, project: Project): Workspace {
  return { ...project.spec.workspace, ...task.spec.workspace };
}

/** Everything an agent needs for an attempt whose grant is in the task's status. */
export function buildGrant(
  task: AgentTask,
  project: Project,
  kind: WorkKind,
  settings: GrantSettings,
  now: number,
): GrantMessage | undefined {
  const holder = kind === 'run' ? task.status?.agent : task.status?.verifier;
  const attempt = task.status?.attempt;
  if (!holder || attempt === undefined) return undefined;
  const { namespace, uid, name } = task.metadata;
  const workflowUid = workflowOf(task)?.uid ?? uid;
  const deadline = Date.parse(holder.at) + task.spec.timeoutSeconds * 1000;
  const iat = Math.floor(now / 1000);
  const revision = task.spec.revision;
  const commit = task.status?.result?.commit;
  const tokenFor = (audience: 'git' | 'artifacts'): string =>
    signAttemptToken(
      {
        aud: [audience],
        ns: namespace,
        project: project.metadata.name,
        task: uid,
        taskName: name,
        workflow: workflowUid,
        attempt,
        kind,
        ...(revision === undefined ? {} : { revision }),
        iat,
        exp: Math.ceil(deadline / 1000) + TOKEN_GRACE_S,
      },
      settings.signingKey,
    );
  return {
    type: 'grant',
    kind,
    task: identityOf(task),
    attempt,
    token: fencingToken({ task: uid, attempt, kind, epoch: holder.epoch, pod: holder.pod }, settings.signingKey),
    gitToken: tokenFor('git'),
    artifactToken: tokenFor('artifacts'),
    deadline: new Date(deadline).toISOString(),
    timeoutSeconds: task.spec.timeoutSeconds,
    git: {
      url: `${settings.gatewayUrl}/git/${namespace}/${project.metadata.name}.git`,
      baseRef: baseRef(workflowUid),
      dependencies: task.spec.dependencies ?? [],
      ...(kind === 'verify' && commit !== undefined ? { commit } : {}),
      pushRef: attemptRef(uid, attempt),
      author: settings.author,
      message: commitMessage(task, attempt),
    },
    artifactsUrl: `${settings.gatewayUrl}/artifacts`,
    ...instructions(task, project, attempt),
  };
}

/** The part of a grant that grows with what people wrote. */
function instructions(task: AgentTask, project: Project, attempt: number): Pick<GrantMessage, 'commands' | 'env'> {
  const workspace = workspaceOf(task, project);
  return {
    commands: {
      setup: workspace.setup ?? [],
      ...(task.spec.command === undefined ? {} : { command: task.spec.command }),
      ...(task.spec.prompt === undefined ? {} : { prompt: task.spec.prompt }),
      acceptance: task.spec.acceptance ?? [],
    },
    env: [
      { name: 'MILLWRIGHT_ATTEMPT', value: String(attempt) },
      { name: 'MILLWRIGHT_TASK', value: taskNameOf(task) },
      { name: 'MILLWRIGHT_WORKFLOW', value: workflowOf(task)?.name ?? '' },
      ...(workspace.env ?? []),
      ...Object.entries(task.spec.params ?? {}).map(([key, value]) => ({
        name: `MILLWRIGHT_PARAM_${key.toUpperCase()}`,
        value,
      })),
    ],
  };
}

/** Names, tokens, URLs and the commit message; all of them bounded. */
const GRANT_OVERHEAD_BYTES = 12 * 1024;
const MAX_VARIABLES = 256;

/** Why a task can never be granted, or undefined: each field is bounded by the API server, but not their sum, and a grant is one message. */
export function grantProblem(task: AgentTask, project: Project): string | undefined {
  const parts = instructions(task, project, 1);
  const bytes = Buffer.byteLength(JSON.stringify([parts, task.spec.dependencies ?? []]));
  const limit = MAX_MESSAGE_BYTES - GRANT_OVERHEAD_BYTES;
  if (bytes > limit)
    return `command or prompt, acceptance, setup, env and params together have ${bytes} bytes, at most ${limit} fit a message to an agent: put long scripts into the repository`;
  if (parts.env.length > MAX_VARIABLES)
    return `env and params together are ${parts.env.length} variables, at most ${MAX_VARIABLES} are allowed: remove some`;
  return undefined;
}

/** Subject, and trailers that say where the commit came from. */
function commitMessage(task: AgentTask, attempt: number): string {
  const { namespace, name } = task.metadata;
  const subject = taskNameOf(task);
  const instruction = task.spec.prompt ?? task.spec.command?.join(' ') ?? '';
  return [
    `${subject}: ${instruction.replaceAll(/\s+/g, ' ').slice(0, 120)}`,
    '',
    ...originOf(task),
    `Millwright-Task: ${namespace}/${name}`,
    `Millwright-Attempt: ${attempt}`,
  ].join('\n');
}
