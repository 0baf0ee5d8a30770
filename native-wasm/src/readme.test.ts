import { expect, test } from 'vitest';
import { loadCore } from './node.ts';

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

test('the examples of the README do what they say', async () => {
  const core = await loadCore();
  const [diff] = core.diffTexts([{ before: 'one\n', after: 'two\n' }]);
  expect(text(diff?.hunks)).toBe('@@ -1 +1 @@\n-one\n+two\n');

  using redactor = core.createRedactor(['the-secret-of-this-run']);
  expect(text(redactor.push('found the-secret-'))).toBe('found ');
  expect(text(redactor.push('of-this-run.\n'))).toBe('***.\n');
});
