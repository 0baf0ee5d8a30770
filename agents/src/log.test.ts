import { expect, it } from 'vitest';
import { createAttemptLog } from './log.ts';

const SECRET = 'secret-of-the-attempt';
const create = () => createAttemptLog({ publish: async () => undefined, secrets: [SECRET] });

it('ends a command with the last of both streams, without secrets and control characters', () => {
  const command = create().command();
  command.output('stdout', Buffer.from(`\u{1b}[1mtoken ${SECRET.slice(0, 5)}`), 0);
  command.output('stdout', Buffer.from(`${SECRET.slice(5)}\n`), 0);
  command.output('stderr', Buffer.from('the cause\n'), 0);
  expect(command.end()).toBe('token ***\nthe cause\n');
});

it('masks a secret that appears only once the control characters are gone', () => {
  const command = create().command();
  command.output('stdout', Buffer.from(`${SECRET.slice(0, 5)}\u{1b}[0m${SECRET.slice(5)}`), 0);
  expect(command.end()).toBe('***');
});
