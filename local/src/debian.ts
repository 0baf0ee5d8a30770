import { run } from './process/run.ts';
import type { Context } from './service.ts';

/** A requirement of the machine that only the person can meet. The message holds the exact command. */
export class MissingRequirement extends Error {
  override readonly name = 'MissingRequirement';
}

/**
 * Makes sure that the Debian packages are installed, in one apt-get call. Their services are not started: the platform starts
 * its own.
 *
 * @throws MissingRequirement with the command to type when this process may not install.
 */
export async function ensurePackages(ctx: Context, packages: readonly string[]): Promise<void> {
  const wanted = [...new Set(packages)].sort();
  const missing = await missingPackages(wanted);
  if (missing.length === 0) return;
  const command = `apt-get update && apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) throw new MissingRequirement(`Some packages are missing. As root, type:\n  ${command}`);
  const log = ctx.logFile('packages');
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const options = ['-o', 'DPkg::Lock::Timeout=600', '-o', 'APT::Status-Fd=1'];
  await ctx.step(
    `Installing ${missing.length} Debian packages`,
    async (report) => {
      try {
        await run('apt-get', ['update'], { env, log });
        await run('apt-get', ['install', '-y', '--no-install-recommends', ...options, ...missing], {
          env,
          log,
          // "dlstatus:item:percent:text" while downloading, "pmstatus:…" while unpacking: half of the bar each.
          onLine: (line) => {
            const status = /^(dl|pm)status:[^:]*:([\d.]+):(.*)$/.exec(line);
            if (status) report(Number(status[2]) / 200 + (status[1] === 'pm' ? 0.5 : 0), status[3]);
          },
        });
      } catch (error) {
        throw new MissingRequirement(
          `Installing packages failed; the log is ${log}. Try it by hand:\n  ${command}\n${String(error)}`,
        );
      }
    },
    40,
  );
}

async function missingPackages(packages: readonly string[]): Promise<string[]> {
  let listed: string;
  try {
    listed = await run('dpkg-query', ['--list']);
  } catch (error) {
    throw new MissingRequirement(
      `The local platform needs Debian 12 or a relative of it (dpkg-query failed: ${String(error)}).`,
    );
  }
  // "ii  name:architecture  version …": wanted and completely installed.
  const installed = new Set([...listed.matchAll(/^ii\s+([^\s:]+)/gm)].map(([, name]) => name));
  return packages.filter((name) => !installed.has(name));
}
