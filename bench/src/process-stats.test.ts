import { expect, it } from 'vitest';
import { processorMs, residentMB } from './process-stats.ts';

it('reads the resident memory of a process', () => {
  const node = process.memoryUsage.rss() / 1e6;
  expect(residentMB(process.pid)).toBeGreaterThan(node * 0.8);
  expect(residentMB(process.pid)).toBeLessThan(node * 1.2);
});

it('reads the processor time of a process', () => {
  const spent = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const until = spent() + 200;
  const before = processorMs(process.pid);
  while (spent() < until);
  expect(processorMs(process.pid) - before).toBeGreaterThanOrEqual(150);
  expect(Math.abs(processorMs(process.pid) - spent())).toBeLessThan(100);
});

it('refuses a process that is not there', () => {
  expect(() => residentMB(undefined)).toThrow();
});
