/** Replies of the exec server, as agents/workspace/README.md describes them. */
import { z } from 'zod';

export const PROTOCOL_VERSION = 1;

const id = z.int().nonnegative();
const count = z.int().nonnegative();

const errorCodes = [
  'invalidFrame',
  'invalidRequest',
  'busy',
  'forbidden',
  'tooManyExecs',
  'unknownExec',
  'spawnFailed',
  'outsideWorkspace',
  'notFound',
  'alreadyExists',
  'wrongKind',
  'permissionDenied',
  'noSpace',
  'io',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

const entry = z.object({
  name: z.string(),
  kind: z.enum(['file', 'directory', 'symlink', 'other']),
  bytes: count,
  mode: count,
  modifiedMs: z.number(),
});
export type Entry = z.infer<typeof entry>;
export const entries = z.array(entry);

const streams = ['stdout', 'stderr'] as const;
export type OutputStream = (typeof streams)[number];

const exit = z.object({
  type: z.literal('exit'),
  id,
  cause: z.enum(['exited', 'timedOut', 'killed', 'tooManyProcesses', 'memoryExceeded']),
  code: z.int().nullable(),
  signal: z.int().nullable(),
  durationMs: count,
  stdoutBytes: count,
  stderrBytes: count,
  truncated: z.boolean(),
});
/** How an exec ended. `code` is null when a signal ended it; `truncated`: part of the output was not forwarded. */
export type ExecResult = Omit<z.infer<typeof exit>, 'type' | 'id'>;

export const reply = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), version: z.int(), root: z.string(), maxExecs: count }),
  z.object({ type: z.literal('started'), id, pid: z.int() }),
  z.object({ type: z.literal('output'), id, stream: z.enum(streams), omitted: count.optional() }),
  exit,
  z.object({ type: z.literal('done'), id }),
  z.object({ type: z.literal('content'), id, bytes: count }),
  z.object({ type: z.literal('entries'), id, truncated: z.boolean() }),
  z.object({ type: z.literal('stat'), id, entry }),
  z.object({ type: z.literal('error'), id: id.nullable(), code: z.enum(errorCodes), message: z.string() }),
]);
export type Reply = z.infer<typeof reply>;
