import { expect, test } from 'vitest';
import { startLineProcess } from './line-process.ts';

test('a program answers line by line, and says why it has ended', async () => {
  const script = 'read a; read b; echo "$a, $b"; read c; echo wrong >&2; exit 3';
  await using child = startLineProcess('sh', ['-c', script]);
  expect(await child.ask('one\n', Buffer.from('two\n'))).toBe('one, two');
  await expect(child.ask('three\n')).rejects.toThrow('sh ended with 3 instead of answering: wrong');
});
