/** Git inside the workspace. The token is in the environment of the commands that need it, never in arguments or files. */
import { reach } from './reach.ts';
import type { Finished, Shell } from './shell.ts';

export interface Git {
  run(args: readonly string[], options?: GitOptions): Promise<Finished>;
}

interface GitOptions {
  /** Relative to the workspace's folder; default: the checkout. */
  cwd?: string;
  stdin?: string;
  /** Talks to the gateway. */
  network?: boolean;
}

export interface GitSettings {
  url: string;
  token: string;
  author: { name: string; email: string };
  /** Trace context of what is under way. */
  traceparent: () => string;
}

/** The checkout's folder in the workspace. */
export const CHECKOUT = 'repo';

/** Nothing that the image, or a command before, has configured may run or ask. */
const settings: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['credential.helper', ''],
  ['commit.gpgSign', 'false'],
  ['merge.conflictStyle', 'merge'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['safe.directory', '*'],
  ['http.followRedirects', 'false'],
  ['http.lowSpeedLimit', '1000'],
  ['http.lowSpeedTime', '60'],
];

/** How long the gateway's first answer may take, and how often it is waited for. */
const REACH_MS = 4_000;
const REACH_TRIES = 4;

/**
 * Returns when the gateway answers, or refuses, which git notices as quickly. Git itself waits two minutes for the answer to its first packet,
 * whatever it is told; a packet to a pod that was replaced a moment ago gets none, and the next one goes elsewhere.
 */
async function untilReachable(url: string): Promise<void> {
  for (let n = 1; n <= REACH_TRIES; n++) if ((await reach(url, REACH_MS)) !== 'silent') return;
}

export function createGit(shell: Shell, { url, token, author, traceparent }: GitSettings): Git {
  const identity = {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
  };
  return {
    async run(args, { cwd = CHECKOUT, stdin, network = false } = {}) {
      if (network) await untilReachable(url);
      const headers = network ? [`Authorization: Bearer ${token}`, `traceparent: ${traceparent()}`] : [];
      const config = [...settings, ...headers.map((header) => [`http.${url}.extraHeader`, header] as const)];
      return shell.run({
        run: { argv: ['git', ...args] },
        cwd,
        quiet: true,
        ...(stdin === undefined ? {} : { stdin }),
        env: {
          ...identity,
          GIT_TERMINAL_PROMPT: '0',
          // What it says is read.
          LC_ALL: 'C',
          GIT_CONFIG_NOSYSTEM: '1',
          GIT_CONFIG_GLOBAL: '/dev/null',
          GIT_CONFIG_COUNT: String(config.length),
          ...Object.fromEntries(
            config.flatMap(([key, value], index) => [
              [`GIT_CONFIG_KEY_${index}`, key],
              [`GIT_CONFIG_VALUE_${index}`, value],
            ]),
          ),
        },
      });
    },
  };
}
