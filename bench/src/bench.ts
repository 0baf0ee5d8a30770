import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildImages, bundleProcesses, type Context, type Environment } from '@millwright/local';
import type { Cleanup } from './cleanup.ts';
import { measureCore } from './core/run.ts';
import { startFloor } from './floor.ts';
import type { Lab } from './lab.ts';
import { measureBurst } from './measures/burst.ts';
import { measureDispatch } from './measures/dispatch.ts';
import { measureMemory } from './measures/memory.ts';
import { measureThroughput } from './measures/throughput.ts';
import { measureTracing } from './measures/tracing.ts';
import { measureWarmClaim } from './measures/warm-claim.ts';
import type { BenchOptions, GroupName } from './options.ts';
import { describeProfiles } from './profile.ts';
import type { Measure } from './report.ts';
import { startRig } from './rig.ts';

interface Group {
  label: string;
  /** On a machine of two cores, with everything built. */
  seconds: (options: BenchOptions) => number;
  run: (lab: Lab, ctx: Context) => Promise<Measure[]>;
}

/** Everything that is measured, in this order. */
const groups: Record<GroupName, Group> = {
  core: {
    label: 'Operations on code',
    seconds: ({ rounds }) => 120 + 90 * rounds,
    run: measureCore,
  },
  dispatch: {
    label: 'Latency of dispatch',
    seconds: ({ rounds }) => 10 + 15 * rounds,
    run: measureDispatch,
  },
  throughput: {
    label: 'Throughput of large Workflows',
    seconds: ({ rounds }) => 10 + 55 * rounds,
    run: measureThroughput,
  },
  burst: {
    label: 'Many Workflows at once',
    seconds: ({ rounds }) => 10 + 12 * rounds,
    run: measureBurst,
  },
  tracing: {
    label: 'Cost of tracing',
    seconds: ({ rounds }) => 30 + 60 * rounds,
    run: measureTracing,
  },
  'warm-claim': {
    label: 'Claims by real sandboxes',
    seconds: ({ rounds }) => 30 + 80 * rounds,
    run: async (lab, ctx) => {
      const images = await buildImages(ctx);
      return measureWarmClaim(lab, { agents: images.agents, workspace: images.workspaceGo });
    },
  },
  memory: {
    label: 'Memory of the operator',
    seconds: ({ minutes }) => 120 + 60 * minutes,
    run: measureMemory,
  },
  peers: {
    label: 'Millwright and Temporal in turn',
    seconds: ({ rounds }) => 30 + 100 * rounds,
    run: async (lab, ctx) => {
      // The SDK is large, and only needed here.
      const { runPeers } = await import('./temporal/run.ts');
      return runPeers(lab, ctx);
    },
  },
};

export interface BenchRun {
  measures: Measure[];
  /** Groups that could not be measured, with the reason. */
  failures: { group: GroupName; error: unknown }[];
}

/**
 * Runs the chosen groups one after the other. One that fails does not keep the others from being measured.
 *
 * @param platform brings the local platform up, once; not called when no chosen group needs it
 */
export async function runBench(
  ctx: Context,
  platform: () => Promise<Environment>,
  options: BenchOptions,
  cleanup: Cleanup,
): Promise<BenchRun> {
  const run: BenchRun = { measures: [], failures: [] };
  if (options.groups.some((name) => name !== 'core')) {
    await platform();
    await ctx.step('Bundling the operator', () => bundleProcesses(ctx.repository), 5);
  }
  for (const name of options.groups) {
    const group = groups[name];
    const profileDir = options.profile ? join(ctx.dataDir('bench'), `profile-${name}-${Date.now()}`) : undefined;
    if (profileDir !== undefined) mkdirSync(profileDir);
    try {
      const label = `${group.label} (${name === 'memory' ? `${options.minutes} min` : `rounds: ${options.rounds}`})`;
      const measured = await ctx.step(
        label,
        (report) => group.run(labFor(ctx, platform, options, cleanup, profileDir, report), ctx),
        group.seconds(options),
      );
      run.measures.push(...measured);
    } catch (error) {
      run.failures.push({ group: name, error });
    }
    if (profileDir !== undefined) console.log(describeProfiles(profileDir, ctx.repository));
  }
  return run;
}

function labFor(
  ctx: Context,
  platform: () => Promise<Environment>,
  options: BenchOptions,
  cleanup: Cleanup,
  profileDir: string | undefined,
  report: (fraction: number) => void,
): Lab {
  return {
    cleanup,
    rounds: options.rounds,
    minutes: options.minutes,
    scaled: (count) => Math.max(1, Math.round(count * options.size)),
    openRig: async (more = {}) =>
      startRig({
        environment: await platform(),
        repository: ctx.repository,
        log: ctx.logFile('bench-operator'),
        cleanup,
        ...(profileDir === undefined ? {} : { profileDir }),
        ...more,
      }),
    openFloor: async (rig, connections) => {
      const { kubeconfig } = await platform();
      return startFloor({ kubeconfig, namespace: rig.floorNamespace, amqpUrl: rig.amqpUrl, connections });
    },
    ...(profileDir === undefined ? {} : { profileDir }),
    report,
  };
}
