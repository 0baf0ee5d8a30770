import { readFileSync } from 'node:fs';
import { poll } from './poll.ts';

const WINDOW_MS = 250;
/** Of the processors' time; an idle local platform takes a tenth. */
const QUIET = 0.25;
const MOST_MS = 60_000;

/** Resolves when the machine has had little to do for a moment: for latencies, which anything else that runs would lengthen. */
export async function machineIsQuiet(): Promise<void> {
  let before = processorTime();
  await poll(MOST_MS, WINDOW_MS, `the machine has had something else to do`, async () => {
    const now = processorTime();
    const busy = (now.busy - before.busy) / Math.max(1, now.total - before.total);
    const isWindow = now.total > before.total;
    before = now;
    return isWindow && busy < QUIET;
  });
}

/** Ticks of all processors since the machine started (proc(5): stat). */
function processorTime(): { busy: number; total: number } {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n');
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  const total = ticks.reduce((sum, value) => sum + value, 0);
  const [, , , idle = 0, waiting = 0] = ticks;
  return { busy: total - idle - waiting, total };
}
