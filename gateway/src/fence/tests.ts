/** Whether a change weakens the tests. */
import type { Finding } from '@millwright/crds';
import { type Core, CoreError, type WeakeningFinding } from '@millwright/native-wasm';
import { type ObjectOptions, readContents } from './objects.ts';
import type { ChangedEntry } from './trees.ts';

/** Tests are written by hand: what is larger is no test, or has data in it. In bytes. */
const MAX_FILE = 2 * 1024 * 1024;
/** Contents before and after, together. */
const MAX_BYTES = 16 * 1024 * 1024;

export interface Weakening {
  confidence: WeakeningFinding['confidence'];
  finding: Finding;
}

/** @throws GitError; what the core cannot check is a finding */
export async function findWeakenings(
  core: Pick<Core, 'checkWeakening'>,
  changes: readonly ChangedEntry[],
  options: ObjectOptions,
): Promise<Weakening[]> {
  const ids = new Set(changes.flatMap(({ before, after }) => [before, after].filter((id) => id !== undefined)));
  let bytes = 0;
  const contents = await readContents([...ids], options, ({ size }) => {
    if (size > MAX_FILE) return false;
    bytes += size;
    return bytes <= MAX_BYTES;
  });
  if (bytes > MAX_BYTES) return [unchecked(`the changed files have more than ${MAX_BYTES} bytes`)];
  const isAtHand = (id: string | undefined) => id === undefined || contents.has(id);
  // What is too large on both sides is data; what became so may be a test that nobody shall read.
  const resized = changes
    .filter(({ before, after }) => before && after && isAtHand(before) !== isAtHand(after))
    .map(({ path }) => unchecked(`before or after, it has more than ${MAX_FILE} bytes`, textOf(path)));
  const files = changes
    .filter(({ before, after }) => isAtHand(before) && isAtHand(after))
    .map(({ path, before, after }) => ({
      path: textOf(path),
      before: before === undefined ? undefined : contents.get(before),
      after: after === undefined ? undefined : contents.get(after),
    }));
  try {
    const found = core.checkWeakening(files).map(
      ({ file, line, confidence, message }): Weakening => ({
        confidence,
        finding: { kind: 'test', path: files[file]?.path ?? '', line, message },
      }),
    );
    return [...resized, ...found];
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    return [...resized, unchecked(error.message)];
  }
}

const textOf = (path: string): string => Buffer.from(path, 'latin1').toString('utf8');

const unchecked = (why: string, path = ''): Weakening => ({
  confidence: 'high',
  finding: { kind: 'test', path, message: `it is not known whether the tests are weaker: ${why}` },
});
