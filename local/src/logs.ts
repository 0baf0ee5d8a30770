import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { recordFile } from './context.ts';
import { adminKubeconfig, contextName } from './kubernetes/kubeconfig.ts';
import { runningDaemon } from './process/daemon.ts';
import { components, selectorOf } from './release.ts';
import type { Context } from './service.ts';
import { apiserver } from './services/apiserver.ts';
import { SYSTEM_NAMESPACE } from './start/cluster.ts';

/** Prints what a daemon has put out, or the pods of one of Millwright's own processes. Returns the exit code. */
export async function printLog(ctx: Context, name: string | undefined, follow: boolean): Promise<number> {
  const file = name && /^[\w.-]+$/.test(name) ? ctx.logFile(name) : undefined;
  if (file && existsSync(file)) return show(follow ? 'tail' : 'cat', follow ? ['-n', '100', '-F', file] : [file]);
  const apiServerRuns = runningDaemon(recordFile(ctx, apiserver.name)) !== undefined;
  const installed = apiServerRuns ? (await components(ctx)).map((component) => component.name) : [];
  if (name && installed.includes(name)) {
    const cluster = ['--kubeconfig', adminKubeconfig(ctx), '--context', contextName, '--namespace', SYSTEM_NAMESPACE];
    const lines = follow ? ['--follow', '--tail=100'] : ['--tail=-1'];
    const pods = ['--selector', selectorOf(name), '--all-containers', '--prefix', '--max-log-requests=20'];
    return show(ctx.tool('kubectl'), [...cluster, 'logs', ...pods, ...lines]);
  }
  const files = readdirSync(dirname(ctx.logFile('any'))).filter((entry) => entry.endsWith('.log'));
  const names = [...files.map((entry) => entry.slice(0, -'.log'.length)).sort(), ...installed];
  const known = names.length > 0 ? `There are: ${names.join(', ')}.` : 'There are none: nothing has been started yet.';
  const rest = apiServerRuns ? '' : " Millwright's own processes can be asked for while the platform is up.";
  console.error(
    `${name ? `There is no log of ${name}.` : 'Say whose log: npm run local -- logs PART.'} ${known}${rest}`,
  );
  return 2;
}

function show(command: string, args: readonly string[]): number {
  return spawnSync(command, args, { stdio: 'inherit' }).status ?? 1;
}
