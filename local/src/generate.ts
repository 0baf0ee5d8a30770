import { createContext } from './context.ts';
import { run } from './process/run.ts';

/** Each writes what is derived from the sources of its room, and is run by itself after a change there. */
const generators = ['crds/src/generate.ts', 'otel/src/generate.ts'];

const { repository } = createContext();
for (const generator of generators) process.stdout.write(await run(process.execPath, [generator], { cwd: repository }));
