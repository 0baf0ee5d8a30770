/** A process that exports metrics. */
export type MetricsProcess = 'operator' | 'gateway' | 'recorder' | 'publisher' | 'git';

type Processes = readonly MetricsProcess[];

/** One metric as Prometheus sees it. Dashboards and alert rules may name only what is listed here. */
export interface MetricDefinition {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
  processes: Processes;
  /** Upper bounds of a histogram, in the metric's unit. */
  buckets?: readonly number[];
}

const operator: Processes = ['operator'];
/** Those that publish messages. */
const publishing: Processes = ['operator', 'recorder', 'publisher'];
const web: Processes = ['gateway', 'git'];
const every: Processes = ['operator', 'gateway', 'recorder', 'publisher', 'git'];

/** Milliseconds to minutes, in seconds. */
const latency = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Seconds to hours, in seconds. */
const work = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200];

const counter = <const Label extends string = never>(
  processes: Processes,
  help: string,
  labels: readonly Label[] = [],
) => ({ type: 'counter', processes, help, labels }) as const;
const gauge = <const Label extends string = never>(processes: Processes, help: string, labels: readonly Label[] = []) =>
  ({ type: 'gauge', processes, help, labels }) as const;
const histogram = <const Label extends string = never>(
  processes: Processes,
  help: string,
  buckets: readonly number[],
  labels: readonly Label[] = [],
) => ({ type: 'histogram', processes, help, buckets, labels }) as const;

/** Every metric of Millwright by its Prometheus name. */
export const catalogue = {
  autodev_tasks_total: counter(operator, 'Tasks that ended, whatever the outcome.'),
  autodev_tasks_success_total: counter(operator, 'Tasks that succeeded.'),
  autodev_tasks_failed_total: counter(operator, 'Tasks that failed, by final reason.', ['reason']),
  autodev_task_duration_seconds: histogram(operator, 'From the creation of a task to its end.', work, ['outcome']),
  autodev_task_attempts_total: counter(operator, 'Attempts that ended, by class of failure (none when it succeeded).', [
    'class',
  ]),
  autodev_verifications_total: counter(
    operator,
    'Verifications whose agent reported: passed, failed, or interrupted before the acceptance commands could tell.',
    ['outcome'],
  ),
  autodev_steps_total: counter(operator, 'Steps that agents took in attempts and verifications.', ['status']),
  autodev_step_duration_seconds: histogram(operator, 'Duration of a step, by which it was.', work, ['tool']),
  autodev_policy_denials_total: counter(operator, 'Attempts that ended since a rule forbids what was asked.', [
    'reason',
  ]),
  millwright_workflows: gauge(operator, 'Workflows in the cluster by phase.', ['phase']),
  millwright_tasks: gauge(operator, 'Tasks in the cluster by phase.', ['phase']),
  millwright_workqueue_depth: gauge(operator, 'Keys that wait for a worker.', ['queue']),
  millwright_workqueue_latency_seconds: histogram(
    operator,
    'From when a key was due to when a worker took it.',
    latency,
    ['queue'],
  ),
  millwright_workqueue_retries_total: counter(operator, 'Keys put back after a failure.', ['queue']),
  millwright_reconcile_duration_seconds: histogram(operator, 'Duration of a reconcile.', latency, ['controller']),
  millwright_reconcile_total: counter(operator, 'Reconciles by outcome: success, conflict, error, terminal.', [
    'controller',
    'outcome',
  ]),
  millwright_watch_age_seconds: gauge(operator, 'Since the API server was last heard of for a kind.', ['kind']),
  millwright_watch_events_total: counter(operator, 'Events received from watches.', ['kind', 'type']),
  millwright_watch_restarts_total: counter(operator, 'Lists and watches that failed, by reason.', ['kind', 'reason']),
  millwright_store_objects: gauge(operator, 'Objects held in memory.', ['kind']),
  millwright_leader: gauge(operator, '1 while this process leads.'),
  millwright_leader_epoch: gauge(operator, 'Epoch of the last lease this process held.'),
  millwright_kube_events_dropped_total: counter(operator, 'Kubernetes Events not written: rate, queue, error.', [
    'reason',
  ]),
  millwright_kube_requests_total: counter(operator, 'Requests to the API server; code 0 when it did not answer.', [
    'method',
    'code',
  ]),
  millwright_kube_request_duration_seconds: histogram(
    operator,
    'Duration of requests to the API server, watches aside.',
    latency,
    ['method'],
  ),
  millwright_publish_confirm_seconds: histogram(publishing, 'From publishing a message to its confirmation.', latency),
  millwright_publish_failures_total: counter(publishing, 'Messages returned, refused or unconfirmed.', ['reason']),
  millwright_queue_messages: gauge(operator, 'Published work that no agent has claimed yet, by capability set.', [
    'namespace',
    'capabilities',
  ]),
  millwright_dead_letters_total: counter(publishing, 'Messages sent to the dead-letter queue, by reason.', ['reason']),
  millwright_claim_latency_seconds: histogram(operator, 'From publishing an attempt to granting its claim.', latency),
  millwright_sandbox_start_seconds: histogram(
    operator,
    'From creating a sandbox Job until its agent is welcome to work.',
    work,
    ['namespace', 'pool'],
  ),
  millwright_sandboxes: gauge(operator, 'Sandboxes by pool and state: idle, busy, starting.', [
    'namespace',
    'pool',
    'state',
  ]),
  millwright_http_requests_total: counter(web, 'Requests served.', ['route', 'method', 'code']),
  millwright_http_request_duration_seconds: histogram(web, 'Duration of requests served.', latency, [
    'route',
    'method',
  ]),
  millwright_git_operations_total: counter(['git'], 'Git operations served: clone or fetch, push; by outcome.', [
    'operation',
    'outcome',
  ]),
  millwright_git_fetch_seconds: histogram(['git'], 'Duration of a fetch from a forge into its mirror.', latency, [
    'outcome',
  ]),
  millwright_git_expired_total: counter(['git'], 'Refs and artifacts removed after their retention.', ['kind']),
  millwright_artifact_bytes_total: counter(['git'], 'Bytes of artifacts stored.'),
  millwright_recorder_messages_total: counter(['recorder'], 'Messages recorded, by outcome.', ['outcome']),
  millwright_recorder_lag_seconds: gauge(['recorder'], 'Age of the message recorded last.'),
  millwright_effects_total: counter(
    ['publisher'],
    'Effects carried out (branch, pull request, check, comment), by outcome.',
    ['kind', 'outcome'],
  ),
  millwright_event_loop_lag_seconds: gauge(every, 'Worst delay of the event loop since the last scrape.'),
} satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof catalogue;
/** The names of all metrics of one type. */
export type MetricNameOf<Type extends MetricDefinition['type']> = {
  [Name in MetricName]: (typeof catalogue)[Name]['type'] extends Type ? Name : never;
}[MetricName];
/** The labels that a metric takes. */
export type LabelOf<Name extends MetricName> = (typeof catalogue)[Name]['labels'][number];
