import type { AgentTask } from '@millwright/crds';
import type { Cluster } from './cluster.ts';
import { nameOf, type Outcome } from './example.ts';

/** How it ended, where the results are, and what to type next. */
export function verdict(
  cluster: Pick<Cluster, 'local' | 'context' | 'namespace' | 'tracesUrl'>,
  outcome: Outcome,
  took: string,
): string {
  const { succeeded, workflow, tasks } = outcome;
  const { status } = workflow;
  return [
    '',
    succeeded
      ? `✓ ${status?.message} (${took} in all)`
      : `✗ ${status?.phase}: ${status?.reason}: ${status?.message} (${took} in all)`,
    '',
    `  ${'TASK'.padEnd(16)} ${'PHASE'.padEnd(10)} ${'VERIFIED'.padEnd(9)} ${'COMMIT'.padEnd(13)} BRANCH`,
    ...tasks.map(lineOf),
    '',
    ...(status?.headSHA ? [`  Head   ${status.headSHA}, the commit of the last task with all that led to it`] : []),
    `  Trace  ${status?.traceID}`,
    // The local Jaeger has no web pages: a Go module does not carry them.
    ...(cluster.tracesUrl
      ? [`         ${cluster.tracesUrl}/api/traces/${status?.traceID}?prettyPrint=true (JSON)`]
      : []),
    '',
    'Next:',
    ...nextOf(cluster, outcome).map(([command, what]) => (what ? `  ${command.padEnd(62)} # ${what}` : `  ${command}`)),
  ].join('\n');
}

function lineOf(task: AgentTask): string {
  const { phase = '-', tests = '-', result, branch, reason } = task.status ?? {};
  return `  ${nameOf(task).padEnd(16)} ${phase.padEnd(10)} ${tests.padEnd(9)} ${(result?.commit ?? '-').slice(0, 12).padEnd(13)} ${branch ?? `(${reason})`}`;
}

/** Commands, and what each is for. */
function nextOf(
  { local, context, namespace }: Parameters<typeof verdict>[0],
  { workflow, tasks, repositoryUrl }: Outcome,
): (readonly [command: string, what?: string])[] {
  const elsewhere = local ? '' : ` --context ${context}`;
  const folder = `/tmp/${workflow.metadata.name}`;
  const published = tasks.filter(({ status }) => status?.branch);
  const head = published.find(({ status }) => status?.result?.commit === workflow.status?.headSHA) ?? published.at(-1);
  const telling = tasks.find(({ status }) => status?.phase === 'Failed') ?? head;
  return [
    ...(head
      ? [
          [`git clone --branch ${head.status?.branch} ${repositoryUrl} ${folder}`] as const,
          [`git -C ${folder} log -p --reverse origin/HEAD..`, 'what was done, commit by commit'] as const,
        ]
      : []),
    ...(local ? [['eval "$(npm run -s local -- env)"', 'KUBECONFIG and PATH for kubectl, helm'] as const] : []),
    [`kubectl get millwright -n ${namespace}${elsewhere}`],
    [`kubectl describe mwf ${workflow.metadata.name} -n ${namespace}${elsewhere}`],
    [`kubectl apply -n ${namespace}${elsewhere} -f examples/conditions.yaml`, 'and the others in examples/'],
    ...(local
      ? [
          ...(telling
            ? [
                [
                  `npm run local -- output ${telling.metadata.name} -n ${namespace}`,
                  'what its commands put out',
                ] as const,
              ]
            : []),
          ['npm run local -- status', 'what runs, and at which addresses'] as const,
          ['npm run local -- down', 'stop the local platform; its data stays'] as const,
        ]
      : []),
  ];
}
