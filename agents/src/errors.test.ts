import { expect, it } from 'vitest';
import { FailedError, InterruptedError, outcomeOf } from './errors.ts';
import { WorkspaceLostError } from './workspace/client.ts';

const failure = { class: 'agent', reason: 'CommandFailed', message: 'm', exitCode: 3 } as const;

it.each([
  ['a failure that is known', new FailedError(failure), 'run', { outcome: 'failed', ...failure }],
  ['a cancellation', new InterruptedError('cancel', 'm'), 'run', { outcome: 'cancelled', reason: 'CancelledByUser' }],
  [
    'an eviction',
    new InterruptedError('eviction', 'm'),
    'run',
    { outcome: 'failed', class: 'infrastructure', reason: 'Evicted' },
  ],
  [
    'the deadline of a run',
    new InterruptedError('deadline', 'm'),
    'run',
    { class: 'agent', reason: 'DeadlineExceeded' },
  ],
  ['the deadline of a verification', new InterruptedError('deadline', 'm'), 'verify', { class: 'verification' }],
  ['a lost workspace', new WorkspaceLostError('m'), 'run', { class: 'infrastructure', reason: 'SandboxLost' }],
  ['a bug', new TypeError('m'), 'run', { class: 'infrastructure', reason: 'SandboxLost' }],
] as const)('classifies %s', (_name, error, kind, expected) => {
  expect(outcomeOf(error, kind)).toMatchObject(expected);
});
