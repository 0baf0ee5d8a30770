import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { catalogue, type MetricDefinition, type MetricsProcess } from './catalogue.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Where the code of a process is, and the code that processes share. */
const owned: Record<MetricsProcess, string> = {
  operator: 'operator/src',
  gateway: 'gateway/src/gateway',
  recorder: 'gateway/src/recorder',
  publisher: 'gateway/src/publisher',
  git: 'gateway/src/git',
};
const shared = ['otel/src', 'gateway/src/shared'];

const sourcesIn = (folder: string): string[] =>
  globSync(`${folder}/**/*.ts`, { cwd: root, exclude: ['**/testing/**', '**/*.test.ts'] }).map((file) =>
    readFileSync(path.join(root, file), 'utf8'),
  );
const namesIn = (sources: readonly string[]): Set<string> =>
  new Set(
    sources.flatMap((text) =>
      [...text.matchAll(/\.(?:counter|gauge|histogram)\(\s*'(\w+)'/g)].map(([, name]) => name ?? ''),
    ),
  );

/** What a process measures itself, and what the functions measure that it calls and others call too. */
function measuredBy(process: MetricsProcess): Set<string> {
  const own = sourcesIn(owned[process]);
  const calls = (name: string) => own.some((text) => text.includes(`${name}(`));
  const used = shared
    .flatMap(sourcesIn)
    .filter((text) => [...text.matchAll(/export function (\w+)/g)].some(([, name = '']) => calls(name)));
  return namesIn([...own, ...used]);
}

const measured = new Map((Object.keys(owned) as MetricsProcess[]).map((process) => [process, measuredBy(process)]));

/** Metrics that a process is said to have, and does not measure. */
const missingOf = (definitions: Record<string, Pick<MetricDefinition, 'processes'>>): string[] =>
  Object.entries(definitions).flatMap(([name, { processes }]) =>
    processes.filter((process) => !measured.get(process)?.has(name)).map((process) => `${process}: ${name}`),
  );

describe('the catalogue', () => {
  it('declares nothing that its processes do not measure', () => {
    expect(missingOf(catalogue)).toEqual([]);
  });

  it('declares whatever they measure', () => {
    for (const names of measured.values()) expect([...names].filter((name) => !(name in catalogue))).toEqual([]);
  });

  it('is checked: a metric that nobody measures, or another process only, is found', () => {
    const definitions = {
      millwright_nonsense_total: { processes: ['git'] },
      millwright_leader: { processes: ['operator', 'recorder'] },
      millwright_publish_confirm_seconds: { processes: ['publisher', 'gateway'] },
    } as const;
    expect(missingOf(definitions)).toEqual([
      'git: millwright_nonsense_total',
      'recorder: millwright_leader',
      'gateway: millwright_publish_confirm_seconds',
    ]);
  });
});
