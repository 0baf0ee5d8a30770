import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Names content by what it is: 12 hex digits of a SHA-256 over the parts, in their order. */
export function contentKey(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  // The length keeps ('ab', 'c') and ('a', 'bc') apart.
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex').slice(0, 12);
}

/** The key of all files below a folder: their paths relative to it and their bytes, in a fixed order. */
export function folderKey(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return contentKey(...files.flatMap((file) => [relative(folder, file), readFileSync(file, 'latin1')]));
}
