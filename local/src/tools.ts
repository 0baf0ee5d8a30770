import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MissingRequirement } from './debian.ts';
import { readIfPresent } from './files.ts';
import { run } from './process/run.ts';
import type { Context } from './service.ts';

interface ToolModule {
  /** Folder in `local/tools` that holds its go.mod, unless `path` says where else in the repository it is. */
  readonly folder: string;
  readonly path?: string;
  /** Name of the tool → file name that `go build tool` gives it. */
  readonly tools: Readonly<Record<string, string>>;
  /** The module that the tools come from, whose version go.mod alone says; none when the folder is the program itself. */
  readonly module?: string;
  /** Variables to stamp the version into. */
  readonly stamps?: (version: string) => readonly string[];
  /** With two cores and empty caches. */
  readonly expectedSeconds: number;
}

const kubernetesStamps = (version: string) => {
  const [major = '', minor = ''] = version.slice(1).split('.');
  const prefix = 'k8s.io/component-base/version';
  return [`${prefix}.gitVersion=${version}`, `${prefix}.gitMajor=${major}`, `${prefix}.gitMinor=${minor}`];
};

/** In the order in which they are built: what everything else waits for comes first. */
export const toolModules: readonly ToolModule[] = [
  { folder: 'pause', tools: { pause: 'pause' }, expectedSeconds: 10 },
  { folder: 'etcd', module: 'go.etcd.io/etcd/server/v3', tools: { etcd: 'server' }, expectedSeconds: 45 },
  {
    folder: 'kubernetes',
    module: 'k8s.io/kubernetes',
    tools: Object.fromEntries(
      ['kube-apiserver', 'kube-controller-manager', 'kube-proxy', 'kube-scheduler', 'kubectl', 'kubelet'].map(
        (name) => [name, name],
      ),
    ),
    stamps: kubernetesStamps,
    expectedSeconds: 400,
  },
  { folder: 'coredns', module: 'github.com/coredns/coredns', tools: { coredns: 'coredns' }, expectedSeconds: 130 },
  {
    folder: 'jaeger',
    module: 'github.com/jaegertracing/jaeger',
    tools: { jaeger: 'all-in-one' },
    stamps: (version) => [`github.com/jaegertracing/jaeger/pkg/version.latestVersion=${version}`],
    expectedSeconds: 120,
  },
  {
    folder: 'helm',
    module: 'helm.sh/helm/v3',
    tools: { helm: 'helm' },
    stamps: (version) => [`helm.sh/helm/v3/internal/version.version=${version}`],
    expectedSeconds: 90,
  },
  {
    folder: 'kubeconform',
    module: 'github.com/yannh/kubeconform',
    tools: { kubeconform: 'kubeconform' },
    stamps: (version) => [`main.version=${version}`],
    expectedSeconds: 15,
  },
  {
    folder: 'temporal',
    path: 'bench/temporal',
    module: 'go.temporal.io/server',
    tools: { 'temporal-server': 'server', 'temporal-sql-tool': 'sql' },
    expectedSeconds: 300,
  },
  { folder: 'gitleaks', path: 'bench/gitleaks', tools: { 'gitleaks-scan': 'gitleaks' }, expectedSeconds: 60 },
];

/** Everything that changes the binaries is in the key of their folder, so that a build is never older than what asks for it. */
function plan(cacheDir: string, repository: string, { folder, path, module, stamps }: ToolModule) {
  const source = join(repository, path ?? join('local/tools', folder));
  const inputs = ['go.mod', 'go.sum', 'main.go'].map((name) => readIfPresent(join(source, name)));
  const version = module ? requiredVersion(source, module, inputs[0] ?? '') : '';
  const ldflags = ['-s', '-w', ...(stamps?.(version) ?? []).map((stamp) => `-X ${stamp}`)].join(' ');
  const args = ['build', '-mod=readonly', '-trimpath', '-buildvcs=false', `-ldflags=${ldflags}`];
  const key = createHash('sha256')
    .update(JSON.stringify([inputs, args, process.arch]))
    .digest('hex')
    .slice(0, 12);
  const name = [folder, version, key].filter(Boolean).join('-');
  return { source, version, args, target: join(cacheDir, 'tools', name), what: module ? 'tool' : '.' };
}

function requiredVersion(source: string, module: string, goMod: string): string {
  const version = new RegExp(`${module.replaceAll('.', '\\.')} (v\\S+)`).exec(goMod)?.[1];
  if (!version) throw new Error(`${source}/go.mod does not require ${module}`);
  return version;
}

function moduleOf(tool: string): ToolModule {
  const found = toolModules.find((candidate) => tool in candidate.tools);
  if (!found) throw new Error(`no tool is called ${tool}; the list is in local/src/tools.ts`);
  return found;
}

/** Path of a built tool. Throws with the remedy while it has not been built. */
export function toolPath(cacheDir: string, repository: string, tool: string): string {
  const path = join(plan(cacheDir, repository, moduleOf(tool)).target, tool);
  if (!existsSync(path)) throw new Error(`${tool} is not built yet: run \`npm run local -- up\``);
  return path;
}

/**
 * Builds Go tools on request, one module at a time (a Go build uses every core), in the order of `toolModules`.
 * The function returned resolves when the named tool is there; modules that nobody names are not built.
 *
 * @throws MissingRequirement when something is to be built and there is no Go
 */
export function createToolBuilder(ctx: Context, wanted: ReadonlySet<string>): (tool: string) => Promise<void> {
  const builds = new Map<ToolModule, Promise<void>>();
  const modules = toolModules.filter(({ tools }) => Object.keys(tools).some((tool) => wanted.has(tool)));
  const missing = modules.filter((toolModule) => !isBuilt(ctx, toolModule));
  for (const toolModule of modules) builds.set(toolModule, Promise.resolve());
  const go = missing.length > 0 ? findGo() : '';
  let last: Promise<unknown> = Promise.resolve();
  for (const toolModule of missing) {
    const build = last.then(() => buildModule(ctx, toolModule, go));
    // Whoever waits for this module learns of its failure; the next module is built all the same.
    last = build.catch(() => {});
    builds.set(toolModule, build);
  }
  return (tool) => builds.get(moduleOf(tool)) ?? Promise.reject(new Error(`${tool} was not among the tools to build`));
}

function isBuilt(ctx: Context, toolModule: ToolModule): boolean {
  const { target } = plan(ctx.cacheDir, ctx.repository, toolModule);
  return Object.keys(toolModule.tools).every((tool) => existsSync(join(target, tool)));
}

async function buildModule(ctx: Context, toolModule: ToolModule, go: string): Promise<void> {
  const { source, version, args, target, what } = plan(ctx.cacheDir, ctx.repository, toolModule);
  const temporary = `${target}.${process.pid}.new`;
  const log = ctx.logFile(`build-${toolModule.folder}`);
  const label = `Building ${toolModule.folder} ${version}`.trim();
  await ctx.step(
    label,
    async (report) => {
      mkdirSync(dirname(target), { recursive: true });
      removeAbandoned(dirname(target), toolModule.folder);
      mkdirSync(temporary);
      try {
        await run('nice', [go, ...args, '-v', '-o', `${temporary}/`, what], {
          cwd: source,
          // Without cgo the binaries are static and the same wherever they are built; GOWORK keeps a foreign workspace out.
          env: { CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' },
          log,
          onLine: (line) => report(undefined, line.replace(/^go: /, '')),
        });
      } catch (error) {
        throw new Error(
          `${label} failed; the log is ${log}. Likely remedy: check that \`go env GOPROXY\` is reachable and that the disk has 10 GB left.\n${String(error)}`,
        );
      }
      for (const [tool, built] of Object.entries(toolModule.tools)) {
        if (tool !== built) renameSync(join(temporary, built), join(temporary, tool));
      }
      rmSync(target, { recursive: true, force: true });
      renameSync(temporary, target);
    },
    toolModule.expectedSeconds,
  );
}

/** Removes what interrupted builds of a tool have left: `<module>-….<pid>.new`, unless that process builds still. */
export function removeAbandoned(folder: string, module: string): void {
  for (const entry of readdirSync(folder)) {
    const pid = entry.startsWith(`${module}-`) ? /\.(\d+)\.new$/.exec(entry)?.[1] : undefined;
    const building = Number(pid) !== process.pid && existsSync(`/proc/${pid}`);
    if (pid !== undefined && !building) rmSync(join(folder, entry), { recursive: true, force: true });
  }
}

/** Go's own installer puts it in a folder that a non-login shell does not have in its path. */
export function findGo(): string {
  for (const folder of [...(process.env.PATH ?? '').split(':'), '/usr/local/go/bin', '/usr/lib/go/bin']) {
    const candidate = join(folder, 'go');
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder.
    }
  }
  throw new MissingRequirement('Go is missing: install version 1.26 or newer from https://go.dev/dl/');
}
