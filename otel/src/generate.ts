/** Writes the dashboard where Grafana's users and the chart look for it, and the rules where the chart does. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dashboard } from './dashboard.ts';

/** A chart is packaged from its own folder alone, so it needs a copy. */
export const dashboardFiles = ['otel/dashboards/millwright.json', 'charts/millwright/files/dashboards/millwright.json'];
/** The rules as they are written, and the chart's copy. */
export const ruleFiles = { source: 'otel/alerts.yaml', copy: 'charts/millwright/files/rules/millwright.yaml' };

if (import.meta.main) {
  const root = path.resolve(import.meta.dirname, '../..');
  // Formatted as the repository's other JSON, or the formatter would change what the generator wrote.
  const text = execFileSync('biome', ['format', '--stdin-file-path=dashboard.json'], {
    cwd: root,
    input: JSON.stringify(dashboard()),
    encoding: 'utf8',
  });
  const rules = readFileSync(path.join(root, ruleFiles.source), 'utf8');
  const files = [...dashboardFiles.map((file) => [file, text] as const), [ruleFiles.copy, rules] as const];
  for (const [file, content] of files) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), content);
  }
}
