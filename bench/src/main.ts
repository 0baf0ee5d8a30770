import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createContext, up } from '@millwright/local';
import { measureBurst } from './measures/burst.ts';
import { measureDispatch } from './measures/dispatch.ts';
import { measureThroughput } from './measures/throughput.ts';
import { type Measure, table } from './report.ts';
import { startRig } from './rig.ts';

const help = `Measures Millwright against its floor, in the same run.

Usage: npm run bench [-- options]

  --only NAME     dispatch, throughput or burst; may be given several times
  --rounds N      repetitions of each measure (default 3)
  --output FILE   one JSON line per measure (default .local/bench.jsonl)
  --help

The floor is a bare script that makes the same API writes and publishes the same messages and decides nothing. The machine should have
nothing else to do.
`;

const groups = ['dispatch', 'throughput', 'burst'] as const;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    only: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '3' },
    output: { type: 'string' },
  },
});

async function main(): Promise<number> {
  const rounds = Number(values.rounds);
  const wanted = values.only ?? [...groups];
  const unknown = wanted.filter((name) => !(groups as readonly string[]).includes(name));
  if (!Number.isInteger(rounds) || rounds < 1 || unknown.length > 0) {
    console.error(
      unknown.length > 0
        ? `There is no measure "${unknown[0]}".\n\n${help}`
        : `--rounds takes a whole number from 1\n\n${help}`,
    );
    return 2;
  }
  const ctx = createContext();
  const environment = await up(ctx);
  const logDir = ctx.dataDir('bench');
  const measures: Measure[] = [];
  await using rig = await ctx.step('Starting the operator', () =>
    startRig({ environment, repository: ctx.repository, logDir, tracing: false }),
  );
  const { kubeconfig } = environment;
  if (wanted.includes('dispatch'))
    measures.push(
      ...(await ctx.step('Latency of dispatch', () => measureDispatch({ rig, kubeconfig, rounds, perRound: 100 }), 60)),
    );
  if (wanted.includes('throughput'))
    measures.push(
      ...(await ctx.step('Throughput of large Workflows', () => measureThroughput({ rig, kubeconfig, rounds }), 180)),
    );
  if (wanted.includes('burst'))
    measures.push(await ctx.step('Many Workflows at once', () => measureBurst(rig, rounds, 500, undefined), 60));
  const output = values.output ?? join(ctx.stateDir, 'bench.jsonl');
  mkdirSync(join(output, '..'), { recursive: true });
  writeFileSync(output, measures.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  console.log(`${table(measures)}\n\n${output}`);
  return measures.every((entry) => entry.pass) ? 0 : 1;
}

if (values.help) console.log(help);
else process.exitCode = await main();
