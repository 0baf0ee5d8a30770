import type { Cluster } from './cluster.ts';
import { nameOf, type Outcome } from './example.ts';

/** Says how it ended, where the results are, and what to type next. */
export async function printVerdict(
  cluster: Cluster,
  { succeeded, workflow, tasks }: Outcome,
  took: string,
): Promise<void> {
  const { metadata, status } = workflow;
  const { namespace, context } = cluster;
  const lines = [
    '',
    succeeded
      ? `✓ ${status?.message} (${took})`
      : `✗ ${status?.phase}: ${status?.reason}: ${status?.message} (${took})`,
    '',
    `  ${'TASK'.padEnd(16)} ${'PHASE'.padEnd(10)} ${'VERIFIED'.padEnd(9)} ${'COMMIT'.padEnd(13)} BRANCH`,
    ...tasks.map((task) => {
      const { phase = '-', tests = '-', result, branch, reason } = task.status ?? {};
      return `  ${nameOf(task).padEnd(16)} ${phase.padEnd(10)} ${tests.padEnd(9)} ${(result?.commit ?? '-').slice(0, 12).padEnd(13)} ${branch ?? `(${reason})`}`;
    }),
    '',
    `  Trace     ${status?.traceID}${cluster.tracesUrl ? `  ${cluster.tracesUrl}/api/traces/${status?.traceID}` : ''}`,
    ...(status?.headSHA ? [`  Head      ${status.headSHA}`] : []),
    '',
    'Next:',
    ...(cluster.local
      ? ['  eval "$(npm run -s local -- env)"                  # KUBECONFIG and PATH for kubectl, helm']
      : []),
    `  kubectl get millwright -n ${namespace}${cluster.local ? '' : ` --context ${context}`}`,
    `  kubectl describe mwf ${metadata.name} -n ${namespace}`,
    `  kubectl apply -n ${namespace} -f examples/conditions.yaml        # and the others in examples/`,
    ...(cluster.local
      ? ['  npm run local -- down                              # stop the local platform; its data stays']
      : []),
  ];
  console.log(lines.join('\n'));
}
