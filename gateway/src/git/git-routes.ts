import type { Logger } from '@millwright/otel';
import type { Context, Hono } from 'hono';
import type { Fence } from '../fence/fence.ts';
import { type Change, type Judgement, lineOf, refusalOf } from '../fence/judgement.ts';
import { git } from '../shared/git-command.ts';
import type { ProjectKey } from '../shared/project-key.ts';
import { AccessError, type Caller } from './access.ts';
import { projectOfPath, requireProject } from './app.ts';
import { attemptRef, type Bundles } from './bundles.ts';
import {
  advertise,
  type GitCall,
  protocolOf,
  readerConfig,
  requestBody,
  runToEnd,
  streamUpload,
  TooLargeError,
  writerConfig,
} from './http-git.ts';
import type { Mirrors } from './mirrors.ts';
import { isZero, type PushCommand, readPushCommands, refusePush, remarksOf } from './push-commands.ts';

export interface GitRoutesOptions {
  mirrors: Mirrors;
  bundles: Bundles;
  fence: Pick<Fence, 'judge'>;
  authenticate: (authorization: string | undefined) => Promise<Caller>;
  /** Lets a bounded number of git programs run at once: waits for a slot of the namespace. */
  limit: <T>(namespace: string, work: () => Promise<T>) => Promise<T>;
  /** Counts what an attempt pushes; false when it was too much. */
  allow: (claims: PushClaims, bytes: number) => boolean;
  maxPushBytes: number;
  timeoutMs: number;
  log: Logger;
  onOperation: (operation: 'fetch' | 'push', outcome: 'ok' | 'refused' | 'failed') => void;
}

type PushClaims = Extract<Caller, { type: 'attempt' }>['claims'];

/** What a fetch asks for is a list of hashes; this many bytes of it are more than any clone sends. */
const MAX_UPLOAD_REQUEST = 16 * 1024 * 1024;

/** Only an attempt that runs may push. Throws AccessError. */
function pusher(caller: Caller): PushClaims {
  if (caller.type !== 'attempt') throw new AccessError(403, `${caller.name} may read only.`);
  if (caller.claims.kind !== 'run') throw new AccessError(403, 'Verification may read only.');
  return caller.claims;
}

/** Why an attempt may not make these updates; undefined when it may. */
function objection(commands: readonly PushCommand[], claims: PushClaims): string | undefined {
  const allowed = attemptRef(claims.task, claims.attempt);
  if (commands.some((command) => command.ref !== allowed)) return `this token may push ${allowed} only`;
  if (commands.some((command) => isZero(command.newHash))) return `${allowed} cannot be deleted`;
  return commands.length > 1 ? `${allowed} can be pushed once at a time` : undefined;
}

/** Smart HTTP for `/<namespace>/<project>.git`. */
export function addGitRoutes(app: Hono, options: GitRoutesOptions): void {
  const { mirrors, bundles, log } = options;

  const enter = async (c: Context) => {
    const key = projectOfPath(c);
    const caller = await options.authenticate(c.req.header('authorization'));
    requireProject(caller, key);
    return { key, caller };
  };

  /** The mirror; for an attempt with its Workflow's base in it. */
  const mirrorFor = async (key: ProjectKey, caller: Caller): Promise<string> => {
    const path = await mirrors.open(key);
    if (caller.type === 'attempt') await mirrors.pin(key, caller.claims.workflow, caller.claims.revision);
    return path;
  };

  const callFor = (
    c: Context,
    repository: string,
    service: GitCall['service'],
    config: GitCall['config'],
  ): GitCall => ({
    service,
    repository,
    config,
    protocol: service === 'upload-pack' ? protocolOf(c.req.header('git-protocol') ?? null) : undefined,
    timeoutMs: options.timeoutMs,
    signal: c.req.raw.signal,
  });
  const configFor = (caller: Caller) => readerConfig(caller.type === 'attempt' ? caller.claims.workflow : undefined);
  const writer = (claims: PushClaims) =>
    writerConfig(claims.workflow, claims.task, claims.attempt, options.maxPushBytes);

  app.get('/:namespace/:repository/info/refs', async (c) => {
    const { key, caller } = await enter(c);
    const service = c.req.query('service');
    if (service !== 'git-upload-pack' && service !== 'git-receive-pack')
      throw new AccessError(403, 'Use a git that speaks smart HTTP.');
    const push = service === 'git-receive-pack';
    const config = push ? writer(pusher(caller)) : configFor(caller);
    const path = await mirrorFor(key, caller);
    const call = callFor(c, path, push ? 'receive-pack' : 'upload-pack', config);
    const body = await options.limit(key.namespace, () => advertise(call));
    return c.body(new Uint8Array(body), 200, noCache(`application/x-${service}-advertisement`));
  });

  app.post('/:namespace/:repository/git-upload-pack', async (c) => {
    const { key, caller } = await enter(c);
    const path = await mirrorFor(key, caller);
    const call = callFor(c, path, 'upload-pack', configFor(caller));
    const body = requestBody(c.req.raw, MAX_UPLOAD_REQUEST);
    const stream = await new Promise<ReadableStream>((resolve, reject) => {
      // The slot is held until git ends, not until the response begins.
      void options
        .limit(
          key.namespace,
          () =>
            new Promise<void>((ended) => {
              resolve(
                streamUpload(call, body, (problem) => {
                  options.onOperation('fetch', problem === undefined ? 'ok' : 'failed');
                  if (problem !== undefined) log.info('fetch ended early', { ...key, problem });
                  ended();
                }),
              );
            }),
        )
        .catch(reject);
    });
    return c.body(stream, 200, noCache('application/x-git-upload-pack-result'));
  });

  app.post('/:namespace/:repository/git-receive-pack', async (c) => {
    const { key, caller } = await enter(c);
    const claims = pusher(caller);
    const path = await mirrorFor(key, caller);
    try {
      const body = await receive(key, path, claims, callFor(c, path, 'receive-pack', writer(claims)), c.req.raw);
      return c.body(new Uint8Array(body), 200, noCache('application/x-git-receive-pack-result'));
    } catch (error) {
      options.onOperation('push', 'failed');
      throw error;
    }
  });

  /** Reads the commands before git sees them, then lets git take the pack. The commits are kept twice before the answer goes out. */
  const receive = async (key: ProjectKey, path: string, claims: PushClaims, call: GitCall, request: Request) => {
    const chunks = metered(requestBody(request, options.maxPushBytes), claims);
    const start = await readPushCommands(chunks);
    const reason = objection(start.commands, claims);
    if (reason !== undefined) {
      options.onOperation('push', 'refused');
      log.warn('push refused', {
        ...key,
        reason,
        refs: start.commands.map(({ ref }) => ref),
        taskName: claims.taskName,
      });
      // git reads the answer when it has sent all it has.
      for await (const _ of chunks);
      return refusePush(start, reason);
    }
    const base = await mirrors.pin(key, claims.workflow, claims.revision);
    const { policy } = await mirrors.project(key);
    const output = await options.limit(key.namespace, () => runToEnd(call, [], prepend(start.read, chunks)));
    const [command] = start.commands;
    if (!command) return output;
    const now = await git(['for-each-ref', '--format=%(objectname)', command.ref], { cwd: path });
    if (now.trim() !== command.newHash) {
      options.onOperation('push', 'refused');
      return output;
    }
    const judgement = await judge(key.namespace, { repository: path, base, commit: command.newHash, policy }, command);
    const fields = { ...key, ref: command.ref, commit: command.newHash, taskName: claims.taskName };
    if (judgement.refused.length > 0) {
      options.onOperation('push', 'refused');
      const lines = refusalOf(key.project, judgement);
      log.warn('push fenced', { ...fields, findings: lines });
      return refusePush(start, 'fenced', lines);
    }
    options.onOperation('push', 'ok');
    log.info('attempt pushed', fields);
    await bundles
      .save(key, path, claims.task, claims.attempt)
      .catch((error: unknown) => log.error('the attempt is not kept apart from the mirror', { ...fields, error }));
    return Buffer.concat([remarksOf(start, judgement.reported.map(lineOf)), output]);
  };

  /** What the fence says of a push that git has taken. Unless it lets it be, the ref is put back to where it was. */
  const judge = async (
    namespace: string,
    change: Change,
    { ref, oldHash, newHash }: PushCommand,
  ): Promise<Judgement> => {
    let judgement: Judgement | undefined;
    try {
      judgement = await options.fence.judge(namespace, change);
      return judgement;
    } finally {
      if (judgement === undefined || judgement.refused.length > 0) {
        const update = isZero(oldHash) ? ['-d', ref, newHash] : [ref, oldHash, newHash];
        await git(['update-ref', ...update], { cwd: change.repository });
      }
    }
  };

  async function* metered(chunks: AsyncIterable<Buffer>, claims: PushClaims): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      if (!options.allow(claims, chunk.length)) throw new TooLargeError(options.maxPushBytes);
      yield chunk;
    }
  }
}

async function* prepend(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

const noCache = (contentType: string) => ({
  'content-type': contentType,
  'cache-control': 'no-cache, max-age=0, must-revalidate',
});
