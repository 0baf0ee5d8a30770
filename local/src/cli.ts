import { parseArgs } from 'node:util';
import { BrokerError, deadLettersCommand } from '@millwright/broker';
import { createContext } from './context.ts';
import { MissingRequirement } from './debian.ts';
import { environmentExports, readEnvironment } from './env.ts';
import { printLog } from './logs.ts';
import { OutputError, printOutput } from './output.ts';
import { down, reset, up } from './platform.ts';
import { pretty } from './progress.ts';
import type { Context } from './service.ts';
import { status, statusTable } from './status.ts';
import { StartFailed } from './supervisor.ts';

const help = `The local platform: a real Kubernetes, RabbitMQ, Postgres, PostgREST and Jaeger on this machine.

Usage: npm run local -- <command>

  up             start whatever does not run yet; builds and installs what is missing the first time
  down           end everything that was started; data stays
  status         every part, Millwright's own included: its state and its addresses; --json says more;
                 exit code 1 unless all of them are healthy
  logs PART      print the log of a part, as status names it; -f follows it
  output TASK    print what the attempts of a task have put out, their work and their verification; -n NAMESPACE when
                 several have such a task
  reset          down, and delete all data (the built tools stay)
  env            print KUBECONFIG and PATH, with kubectl and helm, as shell exports; --json prints all addresses and
                 credentials instead
  dead-letters … list, show, re-drive and drop messages that nobody could read; dead-letters --help says more
`;

const options = {
  help: { type: 'boolean', short: 'h' },
  follow: { type: 'boolean', short: 'f' },
  json: { type: 'boolean' },
  namespace: { type: 'string', short: 'n' },
} as const;

async function main(args: string[]): Promise<number> {
  // It has arguments of its own.
  if (args[0] === 'dead-letters')
    return deadLettersCommand(args.slice(1), () => readEnvironment(createContext()).amqpUrl);
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const [command, name] = positionals;
  if (values.help || command === undefined) {
    console.log(help);
    return values.help ? 0 : 2;
  }
  const ctx = createContext();
  const started = performance.now();
  const took = () => pretty((performance.now() - started) / 1000);
  switch (command) {
    case 'up': {
      const environment = await up(ctx);
      console.log(`The local platform is up (${took()}).`);
      console.log(`  export KUBECONFIG=${environment.kubeconfig}    # or: eval "$(npm run -s local -- env)"`);
      return 0;
    }
    case 'down':
      await down(ctx);
      console.log(`The local platform is down (${took()}). Its data stays in ${ctx.stateDir}.`);
      return 0;
    case 'reset':
      await reset(ctx);
      console.log(`The local platform is down and its data deleted (${took()}).`);
      return 0;
    case 'status':
      return printStatus(ctx, values.json === true);
    case 'logs':
      return printLog(ctx, name, values.follow === true);
    case 'output':
      await printOutput(ctx, name, values.namespace);
      return 0;
    case 'env': {
      const environment = readEnvironment(ctx);
      console.log(values.json ? JSON.stringify(environment, null, 2) : environmentExports(environment));
      return 0;
    }
    default:
      console.error(`There is no command ${command}.\n\n${help}`);
      return 2;
  }
}

async function printStatus(ctx: Context, json: boolean): Promise<number> {
  const all = await status(ctx);
  if (json) console.log(JSON.stringify(all, null, 2));
  else {
    console.log(statusTable(all));
    const healthy = all.every(({ state }) => state === 'healthy');
    const installed = all.some(({ part }) => part === 'operator');
    if (healthy && !installed) console.log('\nMillwright is not installed on it: `npm start` does that.');
    console.log('\nCredentials: npm run -s local -- env --json. Output of a part: npm run local -- logs PART.');
  }
  return all.every(({ state }) => state === 'healthy') ? 0 : 1;
}

// Whoever reads only the beginning, as `head` does, has had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const expected = [StartFailed, MissingRequirement, BrokerError, OutputError].some((type) => error instanceof type);
  const usage = (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') === true;
  console.error(expected || usage ? (error as Error).message : error);
  process.exitCode = usage ? 2 : 1;
}
