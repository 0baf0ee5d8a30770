import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AttemptClaims, signAttemptToken } from '@millwright/crds';
import { createMetrics, type Logger, noTelemetry, type Telemetry } from '@millwright/otel';
import type { IsOver } from '../git/attempts.ts';
import { readGitConfig } from '../git/config.ts';
import { createGitHost, type GitHost } from '../git/host.ts';
import { fileProjects } from '../shared/projects.ts';
import { listen } from '../shared/server.ts';

export const signingKey = 'test-signing-key-of-32-bytes-or-more';

/** Collects what is logged. */
export function recordingLog(): { log: Logger; lines: { level: string; message: string; fields?: unknown }[] } {
  const lines: { level: string; message: string; fields?: unknown }[] = [];
  const at = (level: string) => (message: string, fields?: unknown) => {
    lines.push({ level, message, fields });
  };
  const log: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log };
  return { log, lines };
}

/** Claims of a running attempt that expires in a minute. */
export function claims(change: Partial<AttemptClaims> = {}): AttemptClaims {
  const now = Math.floor(Date.now() / 1000);
  return {
    aud: ['git', 'artifacts'],
    ns: 'team',
    project: 'app',
    task: 'task-1',
    taskName: 'build',
    workflow: 'wf-1',
    attempt: 1,
    kind: 'run',
    iat: now,
    exp: now + 60,
    ...change,
  };
}

export const tokenFor = (change: Partial<AttemptClaims> = {}) => signAttemptToken(claims(change), signingKey);

export interface TestGitHost extends GitHost {
  url: string;
  lines: ReturnType<typeof recordingLog>['lines'];
  /** Replaces the Projects: `<namespace>/<name>` → where. */
  setProjects(projects: Record<string, object>): Promise<void>;
  /** Clone URL with a token in it. */
  cloneUrl(token: string, path?: string): string;
  close(): Promise<void>;
}

/** A git host on a free port, with its volume in `folder`, which may hold what an earlier one left. */
export async function startGitHost(
  folder: string,
  environment: NodeJS.ProcessEnv = {},
  isOver: IsOver = async () => false,
  telemetry: Telemetry = noTelemetry,
): Promise<TestGitHost> {
  const projectsFile = join(folder, 'projects.json');
  const config = readGitConfig({
    MILLWRIGHT_SIGNING_KEY: signingKey,
    MILLWRIGHT_AMQP_URL: 'amqp://unused',
    MILLWRIGHT_DATA_DIR: join(folder, 'data'),
    MILLWRIGHT_BUNDLE_DIR: join(folder, 'bundles'),
    MILLWRIGHT_FETCH_WINDOW_SECONDS: '0',
    ...environment,
  });
  const { log, lines } = recordingLog();
  const host = createGitHost(config, {
    lookup: fileProjects(projectsFile),
    isOver,
    metrics: createMetrics('git'),
    log,
    telemetry,
    missing: () => [],
    // What `setProjects` says holds at once.
    projectFreshMs: 0,
  });
  const server = await listen(host.app, { port: 0, hostname: '127.0.0.1' });
  return {
    ...host,
    url: server.url,
    lines,
    setProjects: (projects) => writeFile(projectsFile, JSON.stringify(projects)),
    cloneUrl: (token, path = 'team/app.git') => `${server.url.replace('//', `//x:${token}@`)}/${path}`,
    close: async () => {
      await server.close(0);
      await host.close();
    },
  };
}
