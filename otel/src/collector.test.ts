import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

interface CollectorConfig {
  [section: string]: Record<string, unknown>;
}

it('the collector configuration uses what it defines and defines what it uses', () => {
  const file = path.resolve(import.meta.dirname, '../collector.yaml');
  const config = parse(readFileSync(file, 'utf8')) as CollectorConfig & {
    service: { extensions: string[]; pipelines: Record<string, Record<string, string[]>> };
  };
  for (const section of ['receivers', 'processors', 'exporters']) {
    const used = Object.values(config.service.pipelines).flatMap((pipeline) => pipeline[section] ?? []);
    expect(new Set(used), section).toEqual(new Set(Object.keys(config[section] ?? {})));
  }
  expect(config.service.extensions).toEqual(Object.keys(config.extensions ?? {}));
});
