import { loadCore } from '@millwright/native-wasm';
import { expect, it } from 'vitest';
import { createAttemptLog } from './log.ts';
import { createRedaction } from './redaction.ts';

const SECRET = 'secret-of-the-attempt';
const core = await loadCore();
const create = () => createAttemptLog({ publish: async () => undefined, redaction: createRedaction(core, [SECRET]) });

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

it('decodes what was redacted: a character that is cut in two comes out whole, and so does the text around a secret', () => {
  const command = create().command();
  const bytes = Buffer.from(`é${SECRET}é\n`);
  for (let at = 0; at < bytes.length; at++) command.output('stdout', bytes.subarray(at, at + 1), 0);
  expect(command.end()).toBe('é***é\n');
});
