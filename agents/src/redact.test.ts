import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRedactor } from './redact.ts';

const SECRET = 'abcabcabd-secret';

function redact(chunks: readonly string[], secrets = [SECRET]): string {
  const redactor = createRedactor(secrets);
  return chunks.map((chunk) => redactor.push(chunk)).join('') + redactor.end();
}

it('masks secrets however they are cut, and changes nothing else', () => {
  const part = fc.oneof(fc.constant(SECRET), fc.constantFrom('abc', 'abcabcab', '-secret', 'x', '\n'), fc.string());
  fc.assert(
    fc.property(fc.array(part), fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (parts, cuts) => {
      const text = parts.join('');
      const chunks = [];
      for (let from = 0, n = 0; from < text.length; n++) {
        const size = cuts[n % cuts.length] ?? 1;
        chunks.push(text.slice(from, from + size));
        from += size;
      }
      expect(redact(chunks)).toBe(text.replaceAll(SECRET, '***'));
    }),
  );
});

it('shows at once what cannot be part of a secret', () => {
  const redactor = createRedactor([SECRET]);
  expect(redactor.push('hello abcab')).toBe('hello ');
  expect(redactor.push('x')).toBe('abcabx');
});

it('masks several secrets and ignores short ones', () => {
  expect(redact(['one-secret two-secret yes'], ['one-secret', 'two-secret', 'yes'])).toBe('*** *** yes');
});
