import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createStore, type EventRow, type Store, StoreError, type TaskRow } from '@millwright/supabase';
import { readEnvironment } from './env.ts';
import type { Context } from './service.ts';

/** What agents say in a live log that came too fast (`agents/src/live-log.ts`). */
const GAP = /the stored log has them/;

/** What comes from a sandbox may do nothing to a terminal but colour it. */
const COLOUR = /(\p{Cc}\[[0-9;]*m)/u;
const CONTROLS = /[^\P{Cc}\t\r\n]|\p{Bidi_Control}/gu;

export const harmless = (text: string): string =>
  text
    .split(COLOUR)
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll(CONTROLS, '')))
    .join('');

/** There is nothing to print. The message says why, and what to do. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
}

/**
 * Prints what each attempt of a task has put out, its work and its verification, from the history that the recorder keeps. Sandboxes
 * send it over the broker, so that no pod has it for `kubectl logs`.
 *
 * @param namespace may be left out when one namespace only has a task of this name
 * @throws OutputError when there is no such task, no output, or no history to read
 */
export async function printOutput(
  ctx: Context,
  name: string | undefined,
  namespace: string | undefined,
): Promise<void> {
  if (name === undefined)
    throw new OutputError('Say of which task: npm run local -- output TASK. `kubectl get mtask -A` lists them.');
  const { postgrestUrl: url, supabaseServiceKey: key } = readEnvironment(ctx);
  const store = createStore({ url, key, retry: false });
  try {
    await printTask(ctx, store, await findTask(store, name, namespace));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new OutputError(
      `The history cannot be read (${error.message}). \`npm run local -- status\` says whether postgres, postgrest and rest are up.`,
    );
  }
}

async function printTask(ctx: Context, store: Store, task: TaskRow): Promise<void> {
  const attempts = (await store.attempts(task.uid)).map(({ attempt }) => attempt);
  const printer = createPrinter();
  for (const attempt of new Set([...attempts, ...(task.attempt ? [task.attempt] : [])])) {
    for (const [workKind, what] of [['run', 'work'] as const, ['verify', 'verification'] as const]) {
      const heading = `== attempt ${attempt}, ${what} ==`;
      for await (const event of linesOf(store, task.uid, attempt, workKind)) printer.print(heading, event);
    }
  }
  if (printer.complete()) return;
  const files = await storedLogs(ctx, store, task);
  if (files.length > 0) console.error(`\nThe history has not all of it. The whole logs are:\n  ${files.join('\n  ')}`);
  else if (printer.empty()) throw new OutputError(nothingOf(task));
}

/** Writes each heading before the first line below it. */
function createPrinter() {
  let heading: string | undefined;
  let gap = false;
  let atLineStart = true;
  return {
    print(under: string, { payload }: EventRow): void {
      const text = String(payload.text);
      if (under !== heading) {
        const before = heading === undefined ? '' : atLineStart ? '\n' : '\n\n';
        process.stdout.write(`${before}${under}\n`);
        heading = under;
      }
      process.stdout.write(process.stdout.isTTY ? harmless(text) : text);
      atLineStart = text.endsWith('\n');
      gap ||= payload.stream === 'system' && GAP.test(text);
    },
    empty: () => heading === undefined,
    complete: () => heading !== undefined && !gap,
  };
}

async function findTask(store: Store, name: string, namespace: string | undefined): Promise<TaskRow> {
  const where = namespace === undefined ? { name } : { name, namespace };
  // Newest first: one that was deleted and made again counts as it is now.
  const { items } = await store.list('tasks', { where });
  const namespaces = [...new Set(items.map((item) => item.namespace))];
  const [task] = items;
  if (!task) {
    const place = namespace === undefined ? '' : ` in namespace ${namespace}`;
    const list = `kubectl get mtask ${namespace === undefined ? '-A' : `-n ${namespace}`}`;
    throw new OutputError(
      `There is no task ${name}${place}. \`${list}\` lists them; one that was created a moment ago appears within seconds.`,
    );
  }
  if (namespaces.length > 1)
    throw new OutputError(`Say which ${name}: add -n and one of ${namespaces.sort().join(', ')}.`);
  return task;
}

async function* linesOf(
  store: Store,
  uid: string,
  attempt: number,
  workKind: 'run' | 'verify',
): AsyncGenerator<EventRow> {
  for (let after = -1; ; ) {
    const page = await store.logs(uid, attempt, { workKind, after });
    const last = page.at(-1);
    if (!last) return;
    yield* page;
    after = last.sequence ?? after;
  }
}

/** The files in which the git host of the local platform keeps the whole logs, as `gateway/src/git/artifacts.ts` names them. */
async function storedLogs(ctx: Context, store: Store, { uid, namespace, project }: TaskRow): Promise<string[]> {
  const logs = (await store.artifacts(uid)).filter(({ name }) => name === 'log');
  return logs
    .map(({ digest }) => digest.slice('sha256:'.length))
    .map((hex) => join(ctx.dataDir('git'), '0/artifacts', namespace, project ?? '', hex.slice(0, 2), hex))
    .filter((file) => existsSync(file));
}

function nothingOf({ name, namespace, phase, reason, message, finished_at: finished }: TaskRow): string {
  const state = `Task ${name} has put out nothing: it is ${phase ?? 'Pending'}${reason ? ` (${reason})` : ''}.`;
  if (message) return `${state}\n  ${message}\n${remedy(finished, namespace, name)}`;
  return `${state} ${remedy(finished, namespace, name)}`;
}

const remedy = (finished: string | null, namespace: string, name: string): string =>
  finished === null
    ? `Try again when it runs; \`kubectl describe mtask ${name} -n ${namespace}\` says what it waits for.`
    : 'What is older than the retention of the recorder and of the git host is deleted.';
