import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';

/** Has V8 write a CPU profile of this process while something runs. Functions of the WASM have numbers in it: the build has no names. */
export async function profiled<T>(folder: string | undefined, work: () => Promise<T>): Promise<T> {
  if (folder === undefined) return work();
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    const result = await work();
    const { profile } = await session.post('Profiler.stop');
    writeFileSync(join(folder, 'core.cpuprofile'), JSON.stringify(profile));
    return result;
  } finally {
    session.disconnect();
  }
}
