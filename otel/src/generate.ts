/** Writes the dashboard where Grafana's users and the chart look for it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dashboard } from './dashboard.ts';

const root = path.resolve(import.meta.dirname, '../..');
/** A chart is packaged from its own folder alone, so it needs a copy. */
export const dashboardFiles = ['otel/dashboards/millwright.json', 'charts/millwright/files/dashboards/millwright.json'];

/** The dashboard's file. */
export function dashboardText(): string {
  return `${JSON.stringify(dashboard(), null, 2)}\n`;
}

if (import.meta.main) {
  for (const file of dashboardFiles) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), dashboardText());
  }
}
