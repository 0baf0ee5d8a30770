/** One granted attempt, from the empty workspace to the message that reports how it ended. */
import type { GrantMessage, ResultMessage } from '@millwright/crds';
import type { Core } from '@millwright/native-wasm';
import { attr } from '@millwright/otel';
import { uploadArtifact } from './artifacts.ts';
import { checkoutBase, checkoutCommit, prepareFolders } from './checkout.ts';
import { commitChanges, pushCommit } from './commit.ts';
import type { Engine } from './engines/engine.ts';
import { InterruptedError, outcomeOf } from './errors.ts';
import type { AttemptEvents } from './events.ts';
import { CHECKOUT, createGit } from './git.ts';
import { type AttemptLog, createAttemptLog } from './log.ts';
import { createRedaction } from './redaction.ts';
import { setUp } from './setup.ts';
import { createShell } from './shell.ts';
import type { AttemptSpans } from './spans.ts';
import { verify } from './verify.ts';
import type { Workspace } from './workspace/client.ts';

export interface AttemptOptions {
  core: Core;
  grant: GrantMessage;
  workspace: Workspace;
  engine: Engine;
  events: AttemptEvents;
  spans: AttemptSpans;
  /** Aborted with an InterruptedError: someone cancels, or the sandbox is evicted. */
  interrupt: AbortSignal;
}

/** Together with the rest they stay within the 10 seconds that ending an attempt may take. */
const KILL_GRACE_MS = 3_000;
const SAVE_MS = 4_000;
const INTERRUPTED_UPLOAD_MS = 1_500;
const UPLOAD_MS = 60_000;
const EVENTS_MS = 1_000;

/** What is known of the end so far; an interruption reports it as it stands. */
type Draft = Pick<ResultMessage, 'base' | 'commit' | 'exitCode' | 'summary' | 'tests'>;

/** Does the work of a grant. Never rejects: whatever happens becomes a result. */
export async function runAttempt(options: AttemptOptions): Promise<ResultMessage> {
  const { core, grant, events, spans } = options;
  const startedAt = new Date();
  const log = createAttemptLog({
    publish: events.log,
    redaction: createRedaction(core, [grant.gitToken, grant.artifactToken, grant.token]),
  });
  const draft: Draft = {};
  let ending: Pick<ResultMessage, 'outcome' | 'class' | 'reason' | 'message'> = { outcome: 'succeeded' };
  let interrupted = false;
  const deadline = deadlineOf(grant);
  const signal = AbortSignal.any([options.interrupt, deadline.signal]);
  try {
    await (grant.kind === 'run' ? run : check)({ ...options, log, draft, signal });
  } catch (error) {
    const { exitCode, summary, ...outcome } = outcomeOf(error, grant.kind);
    ending = outcome;
    Object.assign(draft, exitCode === undefined ? {} : { exitCode }, summary === undefined ? {} : { summary });
    interrupted = error instanceof InterruptedError;
    log.system(outcome.message);
    if (interrupted) await save({ ...options, log, draft, signal }, outcome.reason);
  } finally {
    deadline.clear();
  }
  log.system(ending.outcome === 'succeeded' ? 'done' : `ended: ${ending.reason}`);
  const artifacts = await storeLog(options, log, interrupted ? INTERRUPTED_UPLOAD_MS : UPLOAD_MS);
  await events.settled(EVENTS_MS);
  spans.end({
    ok: ending.outcome === 'succeeded',
    ...(ending.message === undefined ? {} : { message: ending.message }),
    attributes: { [attr.reason]: ending.reason, [attr.commit]: draft.commit },
  });
  return {
    type: 'result',
    kind: grant.kind,
    task: grant.task,
    attempt: grant.attempt,
    token: grant.token,
    ...ending,
    ...draft,
    ...(artifacts.length > 0 ? { artifacts } : {}),
    steps: [...spans.steps],
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
  };
}

interface Work extends AttemptOptions {
  log: AttemptLog;
  draft: Draft;
  signal: AbortSignal;
}

function tools({ workspace, log, grant, spans }: Work, signal: AbortSignal, deadline: number) {
  const shell = createShell({ workspace, log, signal, deadline, killGraceMs: KILL_GRACE_MS });
  const git = createGit(shell, {
    url: grant.git.url,
    token: grant.gitToken,
    author: grant.git.author,
    traceparent: () => spans.traceparent,
  });
  const env = Object.fromEntries(grant.env.map(({ name, value }) => [name, value]));
  return { shell, git, env };
}

/** Does the task, and pushes what came of it. */
async function run(work: Work): Promise<void> {
  const { grant, engine, log, draft, signal, spans } = work;
  const { shell, git, env } = tools(work, signal, Date.parse(grant.deadline));
  const progress = announce(work);
  const base = await spans.step('checkout', async () => {
    progress('checkout', `base and ${grant.git.dependencies.length} results of other tasks`);
    await prepareFolders(shell);
    return await checkoutBase(git, grant.git, signal);
  });
  draft.base = base;
  const { commands } = grant;
  const common = { shell, env, checkout: CHECKOUT, progress };
  await spans.step('setup', () => setUp({ commands: commands.setup, blame: 'agent', ...common }));
  Object.assign(draft, await spans.step('work', () => engine.execute({ commands, ...common })));
  await spans.step('push', async () => {
    const commit = await commitChanges(shell, git, base, grant.git.message);
    if (commit === undefined) return log.system('nothing has changed');
    progress('push', commit);
    for (const remark of await pushCommit(git, grant.git, commit, signal)) log.system(`the git host: ${remark}`);
    draft.commit = commit;
  });
}

/** Runs the acceptance commands on the produced commit, in a checkout that has seen nothing else. */
async function check(work: Work): Promise<void> {
  const { grant, draft, signal, spans } = work;
  const { shell, git, env } = tools(work, signal, Date.parse(grant.deadline));
  const progress = announce(work);
  const { commit } = grant.git;
  await spans.step('checkout', async () => {
    progress('checkout', commit ?? 'base: nothing was changed');
    await prepareFolders(shell);
    if (commit !== undefined) await checkoutCommit(git, grant.git, commit, signal);
    else await checkoutBase(git, grant.git, signal);
  });
  if (commit !== undefined) draft.commit = commit;
  const common = { shell, env, checkout: CHECKOUT, progress };
  await spans.step('setup', () => setUp({ commands: grant.commands.setup, blame: 'verification', ...common }));
  const counted = (tests: { passed: number; total: number }) => {
    draft.tests = tests;
  };
  draft.summary = await spans.step('verify', () =>
    verify({ acceptance: grant.commands.acceptance, counted, ...common }),
  );
  draft.exitCode = 0;
}

/** Pushes unfinished work, so that an interruption does not lose it. It has little time, and nothing depends on it. */
async function save(work: Work, reason: string | undefined): Promise<void> {
  const { grant, log, draft } = work;
  if (grant.kind !== 'run' || draft.base === undefined) return;
  const signal = AbortSignal.timeout(SAVE_MS);
  try {
    const { shell, git } = tools(work, signal, Date.now() + SAVE_MS);
    const message = `${grant.git.message.trimEnd()}\nMillwright-Incomplete: ${reason ?? 'interrupted'}`;
    const commit = await commitChanges(shell, git, draft.base, message);
    if (commit === undefined) return;
    await pushCommit(git, grant.git, commit, signal);
    draft.commit = commit;
    log.system(`the work so far is ${commit} on ${grant.git.pushRef}`);
  } catch (error) {
    log.system(`the work so far could not be saved: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function storeLog({ grant, events, spans }: AttemptOptions, log: AttemptLog, limitMs: number) {
  const content = await log.close(EVENTS_MS);
  try {
    const artifact = { name: 'log', mediaType: 'text/plain; charset=utf-8', content };
    const stored = await spans.step('upload', () => {
      const store = { url: grant.artifactsUrl, token: grant.artifactToken, traceparent: spans.traceparent };
      return uploadArtifact(store, artifact, AbortSignal.timeout(limitMs));
    });
    events.artifact(stored);
    return [stored];
  } catch {
    // The live log has reached the recorder; a store that is away must not turn the result into a failure.
    events.progress('log', 'the whole log could not be stored');
    return [];
  }
}

function announce({ events, log }: Pick<Work, 'events' | 'log'>) {
  return (step: string, message?: string) => {
    events.progress(step, message);
    log.system(message === undefined ? step : `${step}: ${message}`);
  };
}

function deadlineOf(grant: GrantMessage): { signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const expire = () =>
    controller.abort(new InterruptedError('deadline', `the time limit of ${grant.timeoutSeconds} s has passed`));
  const timer = setTimeout(expire, Math.max(0, Date.parse(grant.deadline) - Date.now()));
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}
