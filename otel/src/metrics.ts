import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { catalogue, type LabelOf, type MetricDefinition, type MetricNameOf, type MetricsProcess } from './catalogue.ts';

/** The metrics of one process, in a registry of its own. Instruments are made on first use and then kept. */
export interface Metrics {
  readonly registry: Registry;
  /** The value of `Content-Type` for `text`. */
  readonly contentType: string;
  /** All metrics in Prometheus' text format. */
  text(): Promise<string>;
  counter<Name extends MetricNameOf<'counter'>>(name: Name): Counter<LabelOf<Name>>;
  /** `collect` is called at each scrape, for values that are looked up rather than counted. */
  gauge<Name extends MetricNameOf<'gauge'>>(
    name: Name,
    collect?: (gauge: Gauge<LabelOf<Name>>) => void,
  ): Gauge<LabelOf<Name>>;
  histogram<Name extends MetricNameOf<'histogram'>>(name: Name): Histogram<LabelOf<Name>>;
}

/**
 * The metrics of a process: those the catalogue gives it, the event loop's lag, and prom-client's defaults on memory, CPU
 * and garbage collection. Asking for a metric that is not this process's throws.
 */
export function createMetrics(process: MetricsProcess): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ process });
  collectDefaultMetrics({ register: registry });
  const instruments = new Map<string, Counter | Gauge | Histogram>();
  const definitions: Record<string, MetricDefinition> = catalogue;

  function base(name: string) {
    const definition = definitions[name];
    if (definition === undefined || !definition.processes.includes(process)) {
      throw new TypeError(`${name} is no metric of the ${process}`);
    }
    return { name, help: definition.help, labelNames: [...definition.labels], registers: [registry], definition };
  }

  function kept<T extends Counter | Gauge | Histogram>(name: string, create: () => T): T {
    const known = instruments.get(name);
    if (known !== undefined) return known as T;
    const instrument = create();
    instruments.set(name, instrument);
    return instrument;
  }

  const metrics: Metrics = {
    registry,
    contentType: registry.contentType,
    text: () => registry.metrics(),
    counter: (name) => kept(name, () => new Counter(base(name))),
    gauge: (name, collect) =>
      kept(name, () => {
        const options = base(name);
        if (collect === undefined) return new Gauge(options);
        return new Gauge({
          ...options,
          collect() {
            collect(this as Parameters<typeof collect>[0]);
          },
        });
      }),
    histogram: (name) =>
      kept(name, () => {
        const options = base(name);
        return new Histogram({ ...options, buckets: [...(options.definition.buckets ?? [])] });
      }),
  };
  exportLoopLag(metrics);
  return metrics;
}

function exportLoopLag(metrics: Metrics): void {
  const resolutionMs = 10;
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  metrics.gauge('millwright_event_loop_lag_seconds', (gauge) => {
    // The histogram records the whole interval between its ticks.
    gauge.set(Math.max(0, histogram.max / 1e9 - resolutionMs / 1e3));
    histogram.reset();
  });
}
