import { errorFromStatus, KubeError, type Status } from './errors.ts';
import { ingest } from './kube-codec.ts';
import type { KubeObject, ResourceType } from './resource.ts';
import type { Transport } from './transport.ts';

/** A change, or a BOOKMARK: its object carries only the resourceVersion up to which all changes have been sent. */
export interface WatchEvent<T extends KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

const types = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

/**
 * Reads one watch stream: a JSON object a line
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes).
 * Resolves when the server ends it, also in the middle of a line: whoever resumes from the last event gets that line again.
 * @throws KubeError for a failed request, for an in-stream ERROR event, and (reason `MalformedEvent`) for a line that is
 *   no event: what else was lost is then unknown
 */
export async function streamEvents<T extends KubeObject>(
  transport: Transport,
  resource: ResourceType<T>,
  path: string,
  signal: AbortSignal | undefined,
  onEvent: (event: WatchEvent<T>) => void,
  onBytes?: () => void,
): Promise<void> {
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  let failure: KubeError | undefined;
  const lines = splitLines((line) => {
    if (failure !== undefined) return;
    const event = parseEvent(resource, line, path);
    if (event instanceof KubeError) failure = event;
    else onEvent(event);
  });
  try {
    await transport.stream(path, either, (chunk) => {
      onBytes?.();
      lines(chunk);
      if (failure !== undefined) stop.abort();
    });
  } catch (error) {
    throw failure ?? error;
  }
  if (failure !== undefined) throw failure;
}

function parseEvent<T extends KubeObject>(
  resource: ResourceType<T>,
  line: string,
  path: string,
): WatchEvent<T> | KubeError {
  const request = { method: 'WATCH', path };
  const malformed = (detail: string) => new KubeError({ status: 0, reason: 'MalformedEvent', detail }, request);
  let event: { type?: string; object?: T };
  try {
    event = JSON.parse(line) as typeof event;
  } catch (error) {
    return malformed(String(error));
  }
  if (event?.type === 'ERROR') return errorFromStatus((event.object ?? {}) as Status, request);
  const metadata = event?.object?.metadata;
  if (event?.type === undefined || !types.has(event.type))
    return malformed(`unknown event type ${String(event?.type)}`);
  if (event.object === undefined || typeof metadata?.resourceVersion !== 'string')
    return malformed('no resourceVersion');
  if (event.type !== 'BOOKMARK' && typeof metadata.name !== 'string') return malformed('an object without a name');
  return { type: event.type as WatchEvent<T>['type'], object: ingest(resource, event.object) };
}

const NEWLINE = 0x0a;

/** Calls `onLine` for each whole line of a stream of chunks. A long line in many chunks is joined once, at its end. */
export function splitLines(onLine: (line: string) => void): (chunk: Buffer) => void {
  let partial: Buffer[] = [];
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end);
      start = end + 1;
      const whole = partial.length === 0 ? piece : Buffer.concat([...partial, piece]);
      if (partial.length > 0) partial = [];
      if (whole.length > 0) onLine(whole.toString('utf8'));
    }
    if (start < chunk.length) partial.push(chunk.subarray(start));
  };
}
