import { type EffectResultMessage, type Finding, type PublishBranchMessage, reasons } from '@millwright/crds';
import type { Fence } from '../fence/fence.ts';
import { refusalOf } from '../fence/judgement.ts';
import { KubeError } from '../shared/kube.ts';
import { projectKey } from '../shared/project-key.ts';
import type { ProjectLookup, ProjectSource } from '../shared/projects.ts';
import { isPast, type ReadTask } from '../shared/tasks.ts';
import { FencedFailure, failureOf, LeaseLost, PublishFailure } from './failure.ts';
import { forgeBranch } from './forge-branch.ts';
import { fetchCommit, type Scratch, type ScratchOptions, tidy } from './scratch.ts';

export interface PublishOptions extends ScratchOptions {
  lookup: ProjectLookup;
  isWanted: IsWanted;
  fence: Pick<Fence, 'judge'>;
  /** For one effect in all; the time limit of this module when absent. */
  timeLimitMs?: number;
}

/** Whether the operator still wants an effect, as the task itself tells at this moment. Rejects with KubeError when nobody can tell. */
export type IsWanted = (effect: PublishBranchMessage) => Promise<boolean>;

/** The only place where anything is written on a forge. */
const branchPattern = /^ai\/generated\/[A-Za-z0-9][-._A-Za-z0-9]*\/[A-Za-z0-9][-._A-Za-z0-9]*$/;
const basePattern = /^refs\/workflows\/[-A-Za-z0-9]+\/base$/;
/** Longer than a push of a large repository takes, and short enough that other projects are not kept waiting for a forge that hangs. */
const TIME_LIMIT_MS = 3 * 60_000;
/** A lease that is lost is looked at again; somebody who keeps moving the branch wins. */
const MAX_LEASES = 3;

/** Asks the API server. */
export function taskWants(read: ReadTask): IsWanted {
  return async ({ task, attempt, commit }) => {
    try {
      const found = await read(task.namespace, task.name);
      const { reason, result } = found.status ?? {};
      return !isPast(found, task.uid, attempt) && (reason !== reasons.Publishing || result?.commit === commit);
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return false;
      throw error;
    }
  };
}

/** Returns the ref of the base. */
function check(effect: PublishBranchMessage): string {
  const { branch, ref, task, attempt, project, base } = effect;
  // Both become part of paths.
  if (!projectKey(task.namespace, `${project}.git`))
    throw new PublishFailure('permanent', `${task.namespace}/${project} is not a namespace and a name`);
  if (!branchPattern.test(branch) || branch.includes('..') || /\.(lock)?$/.test(branch) || branch.includes('.lock/'))
    throw new PublishFailure('permanent', `${branch} is not a branch of the form ai/generated/<workflow>/<task>`);
  if (ref !== `refs/attempts/${task.uid}/${attempt}`)
    throw new PublishFailure('permanent', `${ref} is not the ref of attempt ${attempt} of the task`);
  if (base === undefined)
    throw new PublishFailure(
      'temporary',
      'an operator of the version before asks for it, who does not say what the work started from: the next one will',
    );
  if (!basePattern.test(base))
    throw new PublishFailure('permanent', `${base} is not the ref of the base of a Workflow`);
  return base;
}

/**
 * Has the fence judge what the commit changes: the last word, whatever the git host has let be.
 * @returns what a person should look at
 * @throws FencedFailure; FenceError when nobody can tell, which may pass
 */
async function judge(
  { task, project, commit }: PublishBranchMessage,
  { path, base }: Scratch,
  { policy }: ProjectSource,
  fence: PublishOptions['fence'],
  timeoutMs: number,
): Promise<Finding[]> {
  const change = { repository: path, base, commit, policy };
  const judgement = await fence.judge(task.namespace, change, timeoutMs);
  if (judgement.refused.length === 0) return judgement.reported;
  throw new FencedFailure('permanent', refusalOf(project, judgement).join('; '));
}

/**
 * Moves the branch to the commit and returns what a person should look at in it, or finds that nobody wants that any more (undefined). The order
 * guards the branch: where it is; then whether the attempt goes on; then the push, from that place only. What a later attempt publishes comes
 * after the second, so the push that an earlier one still has in hand, on whichever replica, finds the branch elsewhere.
 */
async function publish(effect: PublishBranchMessage, options: PublishOptions): Promise<Finding[] | undefined> {
  const base = check(effect);
  const limitMs = options.timeLimitMs ?? TIME_LIMIT_MS;
  const until = Date.now() + limitMs;
  const left = () => {
    const ms = until - Date.now();
    if (ms > 0) return ms;
    throw new PublishFailure('temporary', `publishing took longer than ${limitMs / 1000} s`);
  };
  const from = await options.lookup(effect.task.namespace, effect.project);
  const branch = forgeBranch(from, effect, left);
  let findings: Finding[] | undefined;
  for (let lease = 1; ; lease += 1) {
    try {
      const head = await branch.head();
      if (head === effect.commit) return findings ?? [];
      const scratch = await fetchCommit(effect, base, options, left);
      findings ??= await judge(effect, scratch, from, options.fence, left());
      if (head !== '') await branch.requireOurs(head, scratch.path);
      if (!(await options.isWanted(effect))) return undefined;
      await branch.push(head, effect.commit, scratch.path);
      await tidy(scratch.path);
      return findings;
    } catch (error) {
      // Somebody moved the branch in between, perhaps another publisher with the same effect.
      if (!(error instanceof LeaseLost) || lease === MAX_LEASES) throw error;
    }
  }
}

/**
 * Puts a commit of the git host on a branch of the forge, in one try: when to try again is for the operator to say, which states the wait.
 * Doing it twice is harmless: a branch that is there already counts as done. Never throws: the answer says what came of it; there is none to
 * an effect that nobody wants any more.
 */
export async function publishBranch(
  effect: PublishBranchMessage,
  options: PublishOptions,
): Promise<EffectResultMessage | undefined> {
  const { id, task, attempt, retry, branch, commit } = effect;
  const base = { type: 'effectResult' as const, id, task, attempt, retry };
  try {
    const findings = await publish(effect, options);
    return findings && { ...base, ok: true, branch, commit, ...(findings.length > 0 ? { findings } : {}) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const reason = error instanceof FencedFailure ? { reason: reasons.Fenced } : {};
    return { ...base, ok: false, failure: failureOf(error), ...reason, message: message.slice(0, 1024) };
  }
}
