import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ProjectKey } from '../shared/project-key.ts';

/** The upload is refused; `status` is the HTTP status. */
export class ArtifactError extends Error {
  override readonly name = 'ArtifactError';
  readonly status: 413 | 422;
  constructor(status: 413 | 422, message: string) {
    super(message);
    this.status = status;
  }
}

/** Contents by digest (`sha256:<hex>`), apart for each Project, so that a digest known elsewhere opens nothing. */
export interface ArtifactStore {
  /** Stores a body whose digest is checked on the way. Resolves with whether it was new. Throws ArtifactError. */
  put(key: ProjectKey, digest: string, body: AsyncIterable<Uint8Array>): Promise<boolean>;
  /** Size in bytes; undefined when there is no such content. */
  size(key: ProjectKey, digest: string): Promise<number | undefined>;
  read(key: ProjectKey, digest: string): Readable;
  /** Removes what was not stored since `before` (milliseconds); returns how many. */
  expire(before: number): Promise<number>;
}

export function createArtifactStore(folder: string, maxBytes: number): ArtifactStore {
  const incoming = join(folder, '.incoming');
  const folderOf = ({ namespace, project }: ProjectKey, hex: string) =>
    join(folder, namespace, project, hex.slice(0, 2));
  const hexOf = (digest: string) => digest.slice('sha256:'.length);
  const fileOf = (key: ProjectKey, digest: string) => join(folderOf(key, hexOf(digest)), hexOf(digest));

  const receive = async (file: string, digest: string, body: AsyncIterable<Uint8Array>) => {
    const hash = createHash('sha256');
    const handle = await open(file, 'wx');
    try {
      let bytes = 0;
      for await (const chunk of body) {
        bytes += chunk.byteLength;
        if (bytes > maxBytes)
          throw new ArtifactError(413, `An artifact has at most ${maxBytes} bytes: split it or compress it.`);
        hash.update(chunk);
        await handle.writeFile(chunk);
      }
      const actual = `sha256:${hash.digest('hex')}`;
      if (actual !== digest)
        throw new ArtifactError(422, `The ${bytes} bytes received have digest ${actual}, not ${digest}.`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  };

  return {
    put: async (key, digest, body) => {
      await mkdir(incoming, { recursive: true });
      const temporary = join(incoming, crypto.randomUUID());
      try {
        await receive(temporary, digest, body);
        const file = fileOf(key, digest);
        await mkdir(folderOf(key, hexOf(digest)), { recursive: true });
        try {
          // A link fails where a rename would replace: content that is there stays.
          await link(temporary, file);
          return true;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
          const now = Date.now() / 1000;
          await utimes(file, now, now);
          return false;
        }
      } finally {
        await rm(temporary, { force: true });
      }
    },
    size: async (key, digest) => {
      try {
        return (await stat(fileOf(key, digest))).size;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    read: (key, digest) => createReadStream(fileOf(key, digest)),
    expire: async (before) => {
      let removed = 0;
      const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        if (!entry.isFile()) continue;
        const file = join(entry.parentPath, entry.name);
        const found = await stat(file).catch(() => undefined);
        if (!found || found.mtimeMs >= before) continue;
        await rm(file, { force: true });
        removed += 1;
      }
      return removed;
    },
  };
}
