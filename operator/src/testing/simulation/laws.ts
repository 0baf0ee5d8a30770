import { type AgentTask, isFinished, labels, type TaskIdentity, type WorkKind } from '@millwright/crds';
import { jsonEqual } from '../../runtime/index.ts';
import type { Stored } from './api.ts';

/** What must hold whatever fails; each is checked at the moment it could break. */
export interface Laws {
  readonly broken: string[];
  written(before: Stored | undefined, after: Stored): void;
  /** An object was deleted. */
  removed(object: Stored): void;
  /** A grant was sent. `stored`: what has the task's name in the API server. */
  granted(task: TaskIdentity, stored: AgentTask | undefined, attempt: number, kind: WorkKind, pod: string): void;
  /** The agent that holds an attempt made a commit. */
  produced(taskUid: string, attempt: number, commit: string): void;
  /** The publisher was asked for an effect: from then on the work of the attempt is done, and verified. */
  asked(id: string, taskUid: string, attempt: number, commit: string): void;
  /** The publisher moved the branch to the commit of an attempt. */
  moved(branch: string, taskUid: string, attempt: number): void;
  /** Work that was done and verified and is done again; to be told at the end, for it is no reason to stop looking. */
  readonly redone: readonly string[];
  /** At the end: what is left over. */
  unfinished(what: string): void;
}

export interface LimitsOfRun {
  workflow: number | undefined;
  project: number | undefined;
}

const ranks = { Pending: 0, Waiting: 1, Running: 2, Verifying: 3, Succeeded: 4, Failed: 4, Cancelled: 4 } as const;
const rankOf = ({ status }: AgentTask): number => (status?.attempt ?? 1) * 10 + ranks[status?.phase ?? 'Pending'];
/** Which task of which Workflow it stands for. */
const childOf = ({ metadata }: AgentTask): string =>
  `${metadata.labels?.[labels.workflowUid]} ${metadata.labels?.[labels.task]}`;
/** One that only waits for its forge has given its slot back. */
const isAtWork = ({ status }: AgentTask): boolean =>
  (status?.phase === 'Running' || status?.phase === 'Verifying') && !status.publishing;

/** @param onTask called with every task that was written */
export function createLaws(limits: LimitsOfRun, onTask: (task: AgentTask) => void): Laws {
  const broken: string[] = [];
  const tasks = new Map<string, AgentTask>();
  const children = new Map<string, string>();
  const holders = new Map<string, string>();
  const commits = new Map<string, string>();
  const effects = new Map<string, { id: string; commit: string }>();
  /** The latest attempt whose effect was asked for, by task. */
  const done = new Map<string, number>();
  const redone: string[] = [];
  const heads = new Map<string, { task: string; attempt: number }>();

  function taskWritten(before: AgentTask | undefined, after: AgentTask): void {
    const { name, uid } = after.metadata;
    const child = childOf(after);
    const first = children.get(child);
    if (first !== undefined && first !== uid) broken.push(`task ${child} was created twice: ${name}`);
    children.set(child, uid);
    tasks.set(uid, after);
    if (before && rankOf(after) < rankOf(before))
      broken.push(
        `${name} went back: ${before.status?.phase}/${before.status?.attempt} → ${after.status?.phase}/${after.status?.attempt}`,
      );
    const atWork = [...tasks.values()].filter(isAtWork).length;
    const isNew = isAtWork(after) && !(before && isAtWork(before));
    for (const [what, limit] of Object.entries(limits))
      if (isNew && limit !== undefined && atWork > limit)
        broken.push(`${atWork} tasks at work, limit of the ${what}: ${limit}`);
  }

  return {
    broken,
    redone,
    written: (before, after) => {
      const wasFinished =
        (before?.kind === 'AgentTask' || before?.kind === 'Workflow') && isFinished(before.status?.phase);
      if (wasFinished && !jsonEqual(before.status, after.status))
        broken.push(`${before.metadata.name} changed after its end`);
      if (after.kind !== 'AgentTask') return;
      onTask(after);
      taskWritten(before as AgentTask | undefined, after);
    },
    removed: (object) => {
      if (object.kind !== 'AgentTask') return;
      tasks.delete(object.metadata.uid);
      children.delete(childOf(object));
    },
    granted: ({ uid, name }, stored, attempt, kind, pod) => {
      const what = `${kind} of attempt ${attempt} of ${name}`;
      const other = holders.get(`${uid}:${attempt}:${kind}`);
      if (other !== undefined && other !== pod) broken.push(`${what} was granted to ${other} and ${pod}`);
      holders.set(`${uid}:${attempt}:${kind}`, pod);
      if ((done.get(uid) ?? attempt) < attempt) redone.push(`${what} redoes work that was verified`);
      // Who holds an attempt may be told so once more before it is known that the task is no more.
      if (stored?.metadata.uid !== uid) return;
      const { status } = stored;
      if (status?.attempt !== attempt || status.phase !== (kind === 'run' ? 'Running' : 'Verifying'))
        broken.push(`${what} was granted in ${status?.phase}/${status?.attempt}`);
    },
    produced: (taskUid, attempt, commit) => commits.set(`${taskUid}:${attempt}`, commit),
    asked: (id, taskUid, attempt, commit) => {
      const key = `${taskUid}:${attempt}`;
      const before = effects.get(key);
      if (before && (before.id !== id || before.commit !== commit)) broken.push(`attempt ${key} was published twice`);
      if (commits.get(key) !== commit) broken.push(`attempt ${key} was published with the commit of another attempt`);
      effects.set(key, { id, commit });
      done.set(taskUid, Math.max(attempt, done.get(taskUid) ?? 0));
    },
    moved: (branch, task, attempt) => {
      const head = heads.get(branch);
      if (head?.task === task && attempt < head.attempt)
        broken.push(`${branch} went back from attempt ${head.attempt} to ${attempt}`);
      heads.set(branch, { task, attempt });
    },
    unfinished: (what) => broken.push(what),
  };
}
