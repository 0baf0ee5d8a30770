import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readIfPresent, writeAtomically } from '../files.ts';

/** Path → time of change and size, as make and its kin tell whether a file has changed. */
type Stamps = Readonly<Record<string, string>>;

const stampFile = (repository: string, name: string) =>
  join(repository, 'node_modules/.cache/millwright', `bundle-${name}.json`);

/** Tells whether the outputs are there and every input is still what `remember` saw. Bundling takes seconds, this milliseconds. */
export function isFresh(
  repository: string,
  name: string,
  recipe: readonly string[],
  outputs: readonly string[],
): boolean {
  const text = readIfPresent(stampFile(repository, name));
  if (text === undefined || !outputs.every((output) => existsSync(join(repository, output)))) return false;
  const stamps = JSON.parse(text) as Stamps;
  const known = Object.keys(stamps);
  return recipe.every((path) => path in stamps) && known.every((path) => stamp(repository, path) === stamps[path]);
}

/** Remembers the state of the inputs of what is called `name`. */
export function remember(repository: string, name: string, recipe: readonly string[], inputs: readonly string[]): void {
  const stamps = Object.fromEntries([...recipe, ...inputs].map((path) => [path, stamp(repository, path)]));
  writeAtomically(stampFile(repository, name), JSON.stringify(stamps));
}

function stamp(repository: string, path: string): string {
  const stats = statSync(resolve(repository, path), { throwIfNoEntry: false });
  return stats ? `${stats.mtimeMs}:${stats.size}` : 'absent';
}
