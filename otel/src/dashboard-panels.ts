/** An expression and, unless the panel's title will do, how its series are named. */
export type Query = readonly [expr: string, legend?: string];

export interface Panel {
  /** A graph over time, one of stacked areas, or the last value alone. */
  kind: 'graph' | 'stack' | 'stat';
  title: string;
  /** One of Grafana's units. */
  unit: string;
  description: string;
  queries: readonly Query[];
}

export interface Row {
  title: string;
  panels: readonly Panel[];
}

const panel =
  (kind: Panel['kind']) =>
  (title: string, unit: string, description: string, ...queries: Query[]): Panel => ({
    kind,
    title,
    unit,
    description,
    queries,
  });
const graph = panel('graph');
const stack = panel('stack');
const stat = panel('stat');

const rate = (metric: string) => `rate(${metric}[$__rate_interval])`;
const perDay = (metric: string) => `sum(increase(${metric}[1d]))`;
const quantile = (q: number, metric: string, labels: string[]) =>
  `histogram_quantile(${q}, sum by (${['le', ...labels].join(', ')}) (${rate(`${metric}_bucket`)}))`;
const naming = (labels: string[]) => labels.map((label) => `{{${label}}}`).join(' ');

/** A counter's rate by labels, which name the series after a prefix. */
const rates = (metric: string, labels: string[], prefix = ''): Query => [
  `sum by (${labels.join(', ')}) (${rate(metric)})`,
  prefix + naming(labels),
];
/** A gauge combined by labels. */
const gauges = (combine: 'sum' | 'max' | 'min', metric: string, labels: string[]): Query => [
  `${combine} by (${labels.join(', ')}) (${metric})`,
  naming(labels),
];
/** The 95th percentile of a histogram by labels. */
const p95 = (metric: string, ...labels: string[]): Query => [quantile(0.95, metric, labels), naming(labels) || 'p95'];
/** Three percentiles of a histogram. */
const spread = (metric: string): Query[] => [0.5, 0.95, 0.99].map((q) => [quantile(q, metric, []), `p${q * 100}`]);

const tasksPerDay = perDay('autodev_tasks_total');

/** What the dashboard shows, from what people ask first to what explains it. */
export const rows: readonly Row[] = [
  {
    title: 'Work',
    panels: [
      stat('Active workflows', 'short', 'Workflows that have not ended.', [
        'sum(millwright_workflows{phase!~"Succeeded|Failed|Cancelled"})',
      ]),
      stat('Waiting tasks', 'short', 'Tasks that wait for capacity, a dependency or a person.', [
        'sum(millwright_tasks{phase=~"Pending|Waiting"})',
      ]),
      stat('Pass rate', 'percentunit', 'Share of the tasks ended in the last day that succeeded.', [
        `${perDay('autodev_tasks_success_total')} / ${tasksPerDay}`,
      ]),
      stat('Attempts per task', 'short', 'Over the last day.', [
        `${perDay('autodev_task_attempts_total')} / ${tasksPerDay}`,
      ]),
      stat('Verified', 'percentunit', 'Share of verifications that passed, over the last day.', [
        `${perDay('autodev_verifications_total{outcome="passed"}')} / ${perDay('autodev_verifications_total')}`,
      ]),
      stack('Tasks by phase', 'short', 'All tasks in the cluster.', gauges('sum', 'millwright_tasks', ['phase'])),
      graph(
        'Tasks ended',
        'ops',
        'Per second, and failures by reason.',
        [`sum(${rate('autodev_tasks_total')})`, 'all'],
        rates('autodev_tasks_failed_total', ['reason'], 'failed: '),
      ),
      graph('Task duration', 's', 'From creation to end.', ...spread('autodev_task_duration_seconds')),
      stack(
        'Attempts by class',
        'ops',
        'Classes of failure; none is a success.',
        rates('autodev_task_attempts_total', ['class']),
      ),
      graph('Verifications', 'ops', 'By outcome.', rates('autodev_verifications_total', ['outcome'])),
      graph('Steps', 'ops', 'What agents do, by status.', rates('autodev_steps_total', ['status'])),
      graph('Step duration', 's', 'p95 by step.', p95('autodev_step_duration_seconds', 'tool')),
      graph('Policy denials', 'ops', 'By reason.', rates('autodev_policy_denials_total', ['reason'])),
    ],
  },
  {
    title: 'Dispatch',
    panels: [
      graph(
        'Queue depth',
        'short',
        'Unclaimed work per capability set: what grows here finds no free sandbox.',
        gauges('sum', 'millwright_queue_messages', ['namespace', 'capabilities']),
      ),
      graph(
        'Claim latency',
        's',
        'From publishing an attempt to granting its claim.',
        ...spread('millwright_claim_latency_seconds'),
      ),
      graph(
        'Publish confirm',
        's',
        'From publishing a message to its confirmation.',
        ...spread('millwright_publish_confirm_seconds'),
      ),
      stack(
        'Sandboxes',
        'short',
        'By pool and state.',
        gauges('sum', 'millwright_sandboxes', ['namespace', 'pool', 'state']),
      ),
      graph(
        'Sandbox start',
        's',
        'p95 from the Job until its agent may work.',
        p95('millwright_sandbox_start_seconds', 'namespace', 'pool'),
      ),
      graph(
        'Refused messages',
        'ops',
        'Dead letters (stale: with an old token), failed publishes.',
        rates('millwright_dead_letters_total', ['reason'], 'dead: '),
        rates('millwright_publish_failures_total', ['reason'], 'unpublished: '),
      ),
    ],
  },
  {
    title: 'Operator',
    panels: [
      stat('Leaders', 'short', 'Exactly one replica leads.', ['sum(millwright_leader)']),
      stat('Leader epoch', 'short', 'Grows with every change of leader.', ['max(millwright_leader_epoch)']),
      graph(
        'API requests',
        'reqps',
        'To the Kubernetes API; code 0 had no answer.',
        rates('millwright_kube_requests_total', ['method', 'code']),
      ),
      graph('API latency', 's', 'p95 by method.', p95('millwright_kube_request_duration_seconds', 'method')),
      graph('Reconciles', 'ops', 'By outcome.', rates('millwright_reconcile_total', ['controller', 'outcome'])),
      graph('Reconcile duration', 's', 'p95.', p95('millwright_reconcile_duration_seconds', 'controller')),
      graph(
        'Work queues',
        'short',
        'Keys that wait for a worker, and retries per second.',
        gauges('sum', 'millwright_workqueue_depth', ['queue']),
        rates('millwright_workqueue_retries_total', ['queue'], 'retries: '),
      ),
      graph(
        'Work queue latency',
        's',
        'p95 from when a key was due to when a worker took it.',
        p95('millwright_workqueue_latency_seconds', 'queue'),
      ),
      graph(
        'Watch age',
        's',
        'Since the API server was last heard of, by kind.',
        gauges('max', 'millwright_watch_age_seconds', ['kind']),
      ),
      graph(
        'Watches',
        'ops',
        'Events received, and restarts by reason.',
        rates('millwright_watch_events_total', ['kind', 'type']),
        rates('millwright_watch_restarts_total', ['kind', 'reason'], 'restart: '),
      ),
      graph('Objects in memory', 'short', 'Held by the watches.', gauges('max', 'millwright_store_objects', ['kind'])),
      graph(
        'Events dropped',
        'ops',
        'Kubernetes Events that were not written.',
        rates('millwright_kube_events_dropped_total', ['reason']),
      ),
    ],
  },
  {
    title: 'Gateway, git, recorder, publisher',
    panels: [
      graph(
        'Requests served',
        'reqps',
        'By process, route and code.',
        rates('millwright_http_requests_total', ['process', 'route', 'code']),
      ),
      graph(
        'Request duration',
        's',
        'p95 by process and route.',
        p95('millwright_http_request_duration_seconds', 'process', 'route'),
      ),
      graph('Git operations', 'ops', 'By outcome.', rates('millwright_git_operations_total', ['operation', 'outcome'])),
      graph('Mirrors', 's', 'p95 of fetching a forge into its mirror.', p95('millwright_git_fetch_seconds')),
      graph(
        'Retention',
        'short',
        'Bytes of artifacts stored, and refs and artifacts removed, per second.',
        [`sum(${rate('millwright_artifact_bytes_total')})`, 'bytes stored'],
        rates('millwright_git_expired_total', ['kind'], 'removed: '),
      ),
      graph('Recorder', 'ops', 'Messages by outcome.', rates('millwright_recorder_messages_total', ['outcome'])),
      graph('Recorder lag', 's', 'Age of the message recorded last.', ['max(millwright_recorder_lag_seconds)']),
      graph(
        'Effects',
        'ops',
        'Branches, pull requests, checks and comments, by outcome.',
        rates('millwright_effects_total', ['kind', 'outcome']),
      ),
    ],
  },
  {
    title: 'Processes',
    panels: [
      graph('Memory', 'bytes', 'Resident.', gauges('max', 'process_resident_memory_bytes', ['process', 'instance'])),
      graph('CPU', 'short', 'Cores in use.', rates('process_cpu_seconds_total', ['process', 'instance'])),
      graph(
        'Event loop lag',
        's',
        'Worst delay between two scrapes.',
        gauges('max', 'millwright_event_loop_lag_seconds', ['process', 'instance']),
      ),
    ],
  },
];
