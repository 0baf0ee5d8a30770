import { rows } from './dashboard-panels.ts';

/** The dashboard as Grafana imports it; the data source is chosen in it. */
export function dashboard(): Record<string, unknown> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variable, not ours
  const datasource = { type: 'prometheus', uid: '${datasource}' };
  const panels: Record<string, unknown>[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: 24, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      const { kind } = panel;
      const width = kind === 'stat' ? 4 : 8;
      const h = kind === 'stat' ? 4 : 8;
      if (x + width > 24) {
        y += height;
        [x, height] = [0, 0];
      }
      panels.push({
        id: panels.length + 1,
        type: kind === 'stat' ? 'stat' : 'timeseries',
        title: panel.title,
        description: panel.description,
        datasource,
        gridPos: { x, y, w: width, h },
        fieldConfig: {
          defaults: {
            unit: panel.unit,
            ...(kind === 'stat'
              ? {}
              : {
                  min: 0,
                  custom: kind === 'stack' ? { fillOpacity: 30, stacking: { mode: 'normal' } } : { fillOpacity: 5 },
                }),
          },
          overrides: [],
        },
        options:
          kind === 'stat'
            ? { reduceOptions: { calcs: ['lastNotNull'] } }
            : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
        targets: panel.queries.map(([expr, legend], index) => ({
          refId: String.fromCharCode(65 + index),
          datasource,
          expr,
          legendFormat: legend ?? panel.title,
          instant: kind === 'stat',
          range: kind !== 'stat',
        })),
      });
      x += width;
      height = Math.max(height, h);
    }
    y += height;
  }
  return {
    uid: 'millwright',
    title: 'Millwright',
    tags: ['millwright'],
    editable: true,
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, hide: 0 },
      ],
    },
    panels,
  };
}
