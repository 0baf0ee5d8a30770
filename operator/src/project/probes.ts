import type { Condition, ProbeReply, Project } from '@millwright/crds';
import { reasons } from '@millwright/crds';
import { keyOf } from '../runtime/index.ts';

/** What was found out about a repository, for one generation of its Project. */
export type RepositoryVerdict = Pick<Condition, 'status' | 'reason' | 'message'>;

export interface ProbeOptions {
  /** Asks a git host. Rejects when none answers in time. */
  ask: (project: Project) => Promise<ProbeReply>;
  /** There is a new verdict for the Project of this key. */
  changed: (key: string) => void;
  /** Milliseconds since the epoch. */
  now: () => number;
  random: () => number;
}

/** A repository that could be read is looked at again after so long; one that could not, sooner: somebody is at it. */
const REPEAT_MS = 10 * 60_000;
const REPEAT_FAILED_MS = 60_000;
/** Questions under way at the same time; a leader that starts has one for each Project. */
const AT_ONCE = 8;

interface Entry {
  uid: string;
  generation: number | undefined;
  verdict?: RepositoryVerdict;
  /** When to ask again; undefined while a question waits or is under way. */
  dueAt?: number;
}

/** Has repositories looked at, beside the reconciler and never in its way. What it knows is lost with the process and asked for again. */
export class RepositoryProbes {
  readonly #options: ProbeOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #waiting: (() => Promise<void>)[] = [];
  #underWay = 0;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /**
   * The verdict on the Project as it is now, if there is one yet, and in how many milliseconds to look again. Starts a probe when one is due;
   * its end is told by `changed`.
   */
  look(project: Project): { verdict?: RepositoryVerdict; againMs?: number } {
    const key = keyOf(project);
    const { uid, generation } = project.metadata;
    let entry = this.#entries.get(key);
    if (entry?.uid !== uid || entry.generation !== generation) {
      entry = { uid, generation, dueAt: 0 };
      this.#entries.set(key, entry);
    }
    const now = this.#options.now();
    if (entry.dueAt !== undefined && entry.dueAt <= now) this.#start(key, project, entry);
    return {
      ...(entry.verdict === undefined ? {} : { verdict: entry.verdict }),
      ...(entry.dueAt === undefined ? {} : { againMs: entry.dueAt - now }),
    };
  }

  /** The Project is gone. */
  forget(key: string): void {
    this.#entries.delete(key);
  }

  #start(key: string, project: Project, entry: Entry): void {
    delete entry.dueAt;
    this.#waiting.push(async () => {
      if (this.#entries.get(key) !== entry) return;
      entry.verdict = await this.#verdictOn(project);
      const after = entry.verdict.status === 'True' ? REPEAT_MS : REPEAT_FAILED_MS;
      entry.dueAt = this.#options.now() + after * (0.9 + 0.2 * this.#options.random());
      if (this.#entries.get(key) === entry) this.#options.changed(key);
    });
    this.#next();
  }

  async #verdictOn(project: Project): Promise<RepositoryVerdict> {
    try {
      const { status, reason, message } = await this.#options.ask(project);
      return { status, reason, message };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { status: 'Unknown', reason: reasons.NotProbed, message: `no git host answers: ${why}` };
    }
  }

  #next(): void {
    const probe = this.#underWay < AT_ONCE ? this.#waiting.shift() : undefined;
    if (!probe) return;
    this.#underWay += 1;
    void probe().finally(() => {
      this.#underWay -= 1;
      this.#next();
    });
  }
}
