import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { addresses, ports } from './addresses.ts';
import { readIfPresent, writeAtomically } from './files.ts';
import { createProgress, type Progress } from './progress.ts';
import type { Context } from './service.ts';
import { toolPath } from './tools.ts';

const repository = resolve(import.meta.dirname, '../..');

/** The platform's places on this machine, with progress on standard error unless another display is given. */
export function createContext(env: NodeJS.ProcessEnv = process.env, display?: Progress): Context {
  const stateDir = resolve(env.MILLWRIGHT_LOCAL_DIR || join(repository, '.local'));
  const cacheDir = join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'millwright');
  const progress = display ?? createProgress(cacheDir);
  const made = (path: string) => {
    mkdirSync(path, { recursive: true });
    return path;
  };
  return {
    repository,
    stateDir,
    cacheDir,
    runDir: '/run/millwright',
    addresses,
    ports,
    dataDir: (service) => made(join(stateDir, 'data', service)),
    logFile: (service) => join(made(join(stateDir, 'logs')), `${service}.log`),
    secret(name) {
      const file = join(stateDir, 'secrets', name);
      const known = readIfPresent(file);
      if (known !== undefined) return known;
      const secret = randomBytes(24).toString('hex');
      writeAtomically(file, secret, 0o600);
      return secret;
    },
    tool: (name) => toolPath(cacheDir, repository, name),
    say: progress.say,
    step: progress.step,
  };
}

/** Where the supervisor keeps the record of a running service. */
export function recordFile(ctx: Pick<Context, 'stateDir'>, service: string): string {
  return join(ctx.stateDir, 'run', `${service}.json`);
}
