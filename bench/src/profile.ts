import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The part of V8's CPU profile that is read here: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export interface CpuProfile {
  nodes: readonly { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: readonly number[];
  /** Microseconds before each sample. */
  timeDeltas: readonly number[];
}

export interface SelfTime {
  /** Function and place, for example `planTask operator/src/agent-task/plan.ts:31`. */
  name: string;
  milliseconds: number;
  /** Of the time in which the process did anything. */
  share: number;
}

/** Functions by the time spent in themselves, the longest first. */
export function selfTimes(profile: CpuProfile, repository: string): SelfTime[] {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame, repository)]));
  const times = new Map<string, number>();
  profile.samples.forEach((id, index) => {
    const name = names.get(id) ?? '(unknown)';
    if (name !== '(idle)') times.set(name, (times.get(name) ?? 0) + (profile.timeDeltas[index] ?? 0) / 1000);
  });
  const busy = [...times.values()].reduce((a, b) => a + b, 0);
  return [...times]
    .map(([name, milliseconds]) => ({ name, milliseconds, share: milliseconds / busy }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

function nameOf(
  { functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame'],
  repository: string,
): string {
  const place = url.replace(`file://${repository}/`, '');
  return `${functionName || '(anonymous)'}${place ? ` ${place}:${lineNumber + 1}` : ''}`;
}

/** The first functions of every profile in the folder, as text. */
export function describeProfiles(folder: string, repository: string, count = 20): string {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.cpuprofile'))
    .map((file) => {
      const path = join(folder, file);
      const times = selfTimes(JSON.parse(readFileSync(path, 'utf8')) as CpuProfile, repository);
      const busy = times.reduce((total, { milliseconds }) => total + milliseconds, 0);
      const lines = times
        .slice(0, count)
        .map(
          ({ name, milliseconds, share }) =>
            `  ${(share * 100).toFixed(1).padStart(5)} %  ${milliseconds.toFixed(0).padStart(7)} ms  ${name}`,
        );
      return [`${path}: busy for ${(busy / 1000).toFixed(1)} s, of which in itself`, ...lines].join('\n');
    })
    .join('\n\n');
}
