import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { createContext } from './context.ts';
import { MissingRequirement } from './debian.ts';
import { CommandError } from './process/run.ts';
import { pretty } from './progress.ts';
import { type Cluster, connectTo } from './start/cluster.ts';
import { runExample } from './start/example.ts';
import { installChart } from './start/install.ts';
import { prepareLocal } from './start/local.ts';
import { verdict } from './start/verdict.ts';
import { StartFailed } from './supervisor.ts';

const help = `Brings Millwright up and runs the example Workflow.

Usage: npm start                                        on the local platform, which is set up as needed
       npm start -- --context NAME [--values FILE]…     on a cluster you have; asks before it installs anything

  --context NAME    a context of your kubeconfig
  --values FILE     Helm values: images, broker, Supabase, forge credentials; see charts/millwright/README.md
  --yes             do not ask
  --help

Ends with 0 when every task of the Workflow has succeeded. Everything stays up: see what it prints at the end.
`;

const options = {
  help: { type: 'boolean', short: 'h' },
  context: { type: 'string' },
  values: { type: 'string', multiple: true },
  yes: { type: 'boolean', short: 'y' },
} as const;

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const ctx = createContext();
  const cluster =
    values.context === undefined ? await prepareLocal(ctx) : await connectTo(ctx, values.context, values.values ?? []);
  if (!cluster.local && values.yes !== true && !(await agrees(cluster))) {
    console.log('Nothing was installed.');
    return 1;
  }
  await installChart(ctx, cluster);
  const outcome = await runExample(ctx, cluster);
  console.log(verdict(cluster, outcome, pretty((Date.now() - startedAt()) / 1000)));
  return outcome.succeeded ? 0 : 1;
}

/** When the person gave the command: the bootstrap says it, which may have installed packages before this process began. */
function startedAt(): number {
  return Number(process.env.MILLWRIGHT_COMMAND_AT) || performance.timeOrigin;
}

async function agrees(cluster: Cluster): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new MissingRequirement('Standard input is no terminal to ask on: add --yes to go ahead.');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(
    `This installs custom resources and the chart "millwright" (namespace ${cluster.systemNamespace}), and an example in namespace ${cluster.namespace}, in context "${cluster.context}". Go ahead? [y/N] `,
  );
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const expected = error instanceof StartFailed || error instanceof MissingRequirement || error instanceof CommandError;
  const usage = (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') === true;
  console.error(expected || usage ? (error as Error).message : error);
  process.exitCode = usage ? 2 : 1;
}
