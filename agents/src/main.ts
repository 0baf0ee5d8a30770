import { runAgent } from './agent.ts';
import { readConfig } from './config.ts';
import { InterruptedError } from './errors.ts';

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => stop.abort(new InterruptedError('eviction', 'the sandbox was told to end')));

try {
  const config = readConfig(process.env);
  process.exit(await runAgent(config, stop.signal));
} catch (error) {
  // Told to end before there was anything to do.
  if (error instanceof InterruptedError) process.exit(0);
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
