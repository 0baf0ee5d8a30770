import { expect, it } from 'vitest';
import { callsBetween, parseCalls, sum } from './writes.ts';

const line = (verb: string, resource: string, subresource: string, code: string, count: number) =>
  `apiserver_request_total{code="${code}",component="apiserver",dry_run="",group="millwright.dev",resource="${resource}",scope="resource",subresource="${subresource}",verb="${verb}",version="v1alpha1"} ${count}`;

it('counts mutating calls of Millwright by what they do', () => {
  const metrics = [
    '# TYPE apiserver_request_total counter',
    line('POST', 'agenttasks', '', '201', 10),
    line('POST', 'agenttasks', '', '409', 1),
    line('PATCH', 'agenttasks', 'status', '200', 2e1),
    line('LIST', 'agenttasks', '', '200', 99),
    line('PUT', 'leases', '', '200', 99),
    'apiserver_request_duration_seconds_count{resource="agenttasks",verb="POST"} 99',
  ].join('\n');
  const calls = parseCalls(metrics);
  expect(Object.fromEntries(calls)).toEqual({ 'POST agenttasks': 11, 'PATCH agenttasks/status': 20 });
  expect(sum(calls)).toBe(31);
});

it('tells what came in between', () => {
  const before = new Map([
    ['POST agenttasks', 5],
    ['POST events', 2],
  ]);
  const after = new Map([
    ['POST agenttasks', 7],
    ['POST events', 2],
    ['DELETE workflows', 1],
  ]);
  expect(Object.fromEntries(callsBetween(before, after))).toEqual({ 'POST agenttasks': 2, 'DELETE workflows': 1 });
});
