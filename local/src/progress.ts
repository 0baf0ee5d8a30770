import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from './files.ts';
import type { Report } from './service.ts';

/** Shows what goes on. `step` may run several times at once; on a terminal each running step has a bar of its own. */
export interface Progress {
  say(message: string): void;
  step<T>(label: string, work: (report: Report) => Promise<T>, expectedSeconds?: number): Promise<T>;
}

interface Running {
  readonly label: string;
  readonly started: number;
  readonly expected: number | undefined;
  announced: boolean;
  fraction?: number | undefined;
  detail?: string | undefined;
}

/** A step shorter than this is not worth a line on its own when the output is a file. */
const quietSeconds = 1;
const repeatSeconds = 20;

/**
 * A progress display on `stream`. How long each label took is kept in `<cacheDir>/durations.json` and is the estimate next time.
 */
export function createProgress(cacheDir: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  const file = join(cacheDir, 'durations.json');
  const durations = readDurations(file);
  const running = new Set<Running>();
  const live = stream.isTTY === true;
  let drawn = 0;
  let timer: NodeJS.Timeout | undefined;

  function erase(): void {
    if (drawn > 0) stream.write(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  }
  function draw(): void {
    const width = Math.max(40, (stream.columns ?? 100) - 1);
    for (const step of running) stream.write(`${describe(step).slice(0, width)}\n`);
    drawn = running.size;
  }
  function print(line: string): void {
    if (live) erase();
    stream.write(`${line}\n`);
    if (live) draw();
  }
  function tick(): void {
    if (live) {
      erase();
      draw();
      return;
    }
    for (const step of running) {
      const elapsed = seconds(step.started);
      if (!step.announced && elapsed >= quietSeconds) {
        step.announced = true;
        print(`  … ${step.label}${step.expected && step.expected > 2 ? ` (about ${pretty(step.expected)})` : ''}`);
      } else if (Math.floor(elapsed) > 0 && Math.floor(elapsed) % repeatSeconds === 0)
        print(`  … ${describe(step).trim()}`);
    }
  }

  return {
    say: print,
    async step(label, work, expectedSeconds) {
      const step: Running = {
        label,
        started: performance.now(),
        expected: durations[label] ?? expectedSeconds,
        announced: false,
      };
      running.add(step);
      timer ??= setInterval(tick, live ? 200 : 1000);
      const finish = (mark: string) => {
        running.delete(step);
        if (running.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
        const took = seconds(step.started);
        if (took >= quietSeconds || mark === '✗') print(`  ${mark} ${label} (${pretty(took)})`);
        else if (live) {
          erase();
          draw();
        }
        return took;
      };
      try {
        const result = await work((fraction, detail) => {
          step.fraction = fraction;
          step.detail = detail;
        });
        const took = finish('✓');
        if (took >= quietSeconds) {
          durations[label] = Math.round(took * 10) / 10;
          writeAtomically(file, `${JSON.stringify(durations, null, 1)}\n`);
        }
        return result;
      } catch (error) {
        finish('✗');
        throw error;
      }
    },
  };
}

function describe(step: Running): string {
  const elapsed = seconds(step.started);
  const fraction = step.fraction ?? (step.expected ? elapsed / step.expected : undefined);
  const parts = [`  ${fraction === undefined ? '·'.repeat(20) : bar(fraction)} ${step.label}`];
  if (fraction !== undefined && fraction > 0.02 && fraction < 1)
    parts.push(`${pretty((elapsed * (1 - fraction)) / fraction)} left`);
  else parts.push(pretty(elapsed));
  if (step.detail) parts.push(step.detail);
  return parts.join(' · ');
}

function bar(fraction: number): string {
  // A full bar is for what has ended: an estimate that ran out stays just short of it.
  const filled = Math.min(19, Math.floor(fraction * 20));
  return '█'.repeat(filled) + '░'.repeat(20 - filled);
}

function seconds(since: number): number {
  return (performance.now() - since) / 1000;
}

/** "4.2 s", "38 s" or "6 min 5 s". */
export function pretty(duration: number): string {
  if (duration < 10) return `${duration.toFixed(1)} s`;
  const whole = Math.round(duration);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ''}`;
}

function readDurations(file: string): Record<string, number> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return {};
    return Object.fromEntries(
      Object.entries(parsed).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    );
  } catch {
    // Absent at first; estimates are a courtesy, so a damaged file is the same as none.
    return {};
  }
}
