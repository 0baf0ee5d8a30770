/** Secrets that a change adds, in whatever version of a file. What was in the files before is no fault of the change. */
import { hash } from 'node:crypto';
import type { Finding } from '@millwright/crds';
import type { Core, ScannedText, SecretFinding } from '@millwright/native-wasm';
import { type ObjectOptions, readObjects, TooLargeError } from './objects.ts';
import type { NewObject } from './trees.ts';

/** Together, in bytes: some seconds. */
const MAX_BYTES = 512 * 1024 * 1024;
/** A blob is looked at in pieces, so that memory does not depend on its size. */
const PIECE = 1024 * 1024;
/** Pieces have so much in common; a secret and what is around it take less than half of it. */
const OVERLAP = 64 * 1024;
/** Of one call: many small files together. */
const BATCH = 4 * 1024 * 1024;
/** Of what is not refused, more than anybody reads. */
const MAX_UNSURE = 1000;
/** Of the rest: none may be left out, since the last may be the only one that is new. */
const MAX_SURE = 10_000;

export interface Found {
  severity: SecretFinding['severity'];
  finding: Finding;
}

/** A secret with the blob that has it. */
interface Place extends Pick<SecretFinding, 'rule' | 'preview' | 'severity'> {
  index: number;
  line: number;
  /** Its SHA-256. */
  secret: string;
}

/** A part of a blob. */
interface Piece {
  index: number;
  contents: Buffer;
  /** Line breaks before it. */
  linesBefore: number;
  isFirst: boolean;
  isLast: boolean;
}

/**
 * @param added their paths say how bad a secret in them is
 * @param before blobs of what the change replaces
 * @throws TooLargeError, GitError, CoreError
 */
export async function findSecrets(
  core: Pick<Core, 'scanSecrets'>,
  added: readonly NewObject[],
  before: readonly string[],
  options: ObjectOptions,
): Promise<Found[]> {
  const ids = added.map(({ id }) => id);
  const paths = added.map(({ path = '' }) => Buffer.from(path, 'latin1').toString('utf8'));
  const places = await scan(core, ids, paths, options);
  if (places.length === 0) return [];
  const known = new Set((await scan(core, before, [], options)).map(({ secret }) => secret));
  const found = new Map<string, Found>();
  for (const { index, line, secret, rule, preview, severity } of places) {
    const object = added[index];
    const path = paths[index] ?? '';
    const id = `${path}\0${secret}`;
    // The versions of a file that a history has often share it.
    if (known.has(secret) || found.has(id)) continue;
    const where = object?.path === undefined ? { path: `commit ${object?.id.slice(0, 12)}` } : { path, line };
    found.set(id, { severity, finding: { kind: 'secret', ...where, message: `${rule} (${preview})` } });
  }
  return [...found.values()];
}

async function scan(
  core: Pick<Core, 'scanSecrets'>,
  ids: readonly string[],
  paths: readonly string[],
  options: ObjectOptions,
): Promise<Place[]> {
  const places: Place[] = [];
  let sure = 0;
  let batch: Piece[] = [];
  let batched = 0;

  function keep(place: Place): void {
    if (place.severity === 'high') sure += 1;
    else if (places.length - sure >= MAX_UNSURE) return;
    if (sure > MAX_SURE) throw new TooLargeError(`there are more than ${MAX_SURE} secrets`);
    places.push(place);
  }

  function flush(): void {
    const texts = batch.map(({ index, contents }): ScannedText => ({ path: paths[index] ?? '', contents }));
    const found = core.scanSecrets(texts);
    for (const [at, piece] of batch.entries()) for (const place of placesOf(piece, found[at] ?? [])) keep(place);
    batch = [];
    batched = 0;
  }

  /** Cuts a blob into pieces. */
  let pending: Buffer[] = [];
  let size = 0;
  let left = 0;
  let linesBefore = 0;
  let isFirst = true;
  function cut(index: number, isLast: boolean): void {
    const contents = Buffer.concat(pending);
    batch.push({ index, contents, linesBefore, isFirst, isLast });
    batched += size;
    isFirst = false;
    const kept = contents.subarray(isLast ? size : size - OVERLAP);
    linesBefore += lineBreaks(contents, size - kept.length);
    pending = [kept];
    size = kept.length;
    if (batched >= BATCH) flush();
  }

  let index = 0;
  let total = 0;
  await readObjects(ids, options, {
    begin(header) {
      index = header.index;
      left = header.size;
      total += left;
      if (total > MAX_BYTES) throw new TooLargeError(`the changed files have more than ${MAX_BYTES} bytes`);
      pending = [];
      size = linesBefore = 0;
      isFirst = true;
    },
    data(chunk) {
      for (let from = 0; from < chunk.length; ) {
        const part = Buffer.from(chunk.subarray(from, from + PIECE - size));
        pending.push(part);
        size += part.length;
        from += part.length;
        left -= part.length;
        if (size === PIECE && left > 0) cut(index, false);
      }
    },
    end: () => cut(index, true),
  });
  flush();
  return places;
}

/** Of what two pieces have in common, each has the half that is nearer to its middle. */
function placesOf({ index, contents, linesBefore, isFirst, isLast }: Piece, found: readonly SecretFinding[]): Place[] {
  const from = isFirst ? 0 : OVERLAP / 2;
  const to = isLast ? contents.length : contents.length - OVERLAP / 2;
  return found
    .filter(({ start }) => start >= from && start < to)
    .map(({ start, end, line, rule, preview, severity }) => ({
      index,
      line: linesBefore + line,
      rule,
      preview,
      severity,
      secret: hash('sha256', contents.subarray(start, end), 'hex'),
    }));
}

function lineBreaks(bytes: Buffer, end: number): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0 && at < end; at = bytes.indexOf(10, at + 1)) count += 1;
  return count;
}
