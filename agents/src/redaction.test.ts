import { CoreError, loadCore, type Redactor } from '@millwright/native-wasm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRedaction, type Redaction } from './redaction.ts';

const SECRET = 'abcabcabd-secret';
const core = await loadCore();

function redact(redaction: Redaction, chunks: readonly (string | Uint8Array)[]): string {
  const stream = redaction.begin();
  return Buffer.concat([...chunks.map((chunk) => stream.push(chunk)), stream.end()]).toString();
}

it('masks secrets however they are cut, and changes nothing else', () => {
  const redaction = createRedaction(core, [SECRET]);
  const part = fc.oneof(
    fc.constant(SECRET),
    fc.constantFrom('abc', 'abcabcab', '-secret', 'x', 'é', '\n'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(part), fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (parts, cuts) => {
      // What lies side by side becomes one mask.
      const text = Buffer.from(parts.join(' '));
      const chunks = [];
      for (let from = 0, n = 0; from < text.length; n++) {
        const size = cuts[n % cuts.length] ?? 1;
        chunks.push(text.subarray(from, from + size));
        from += size;
      }
      expect(redact(redaction, chunks)).toBe(text.toString().replaceAll(SECRET, '***'));
    }),
  );
});

it('shows at once what cannot be part of a secret', () => {
  const stream = createRedaction(core, [SECRET]).begin();
  expect(Buffer.from(stream.push('hello abcab')).toString()).toBe('hello ');
  expect(Buffer.from(stream.push('x')).toString()).toBe('abcabx');
});

it('masks several secrets and ignores short ones', () => {
  const redaction = createRedaction(core, ['one-secret', 'two-secret', 'yes']);
  expect(redaction.text('one-secret two-secret yes')).toBe('*** *** yes');
});

it('masks what nobody has declared: secrets by their form, and those it was given in other forms', () => {
  const redaction = createRedaction(core, [SECRET]);
  const token = `ghp_${'q7Zx2Kp9Vm4T'.repeat(3)}`;
  expect(redaction.text(`token ${token} of https://bot:pa55@example.org/`)).toBe(
    'token *** of https://***@example.org/',
  );
  expect(redaction.text(Buffer.from(`x:${SECRET}`).toString('base64'))).not.toContain(
    Buffer.from(SECRET).toString('base64').slice(4, 12),
  );
});

it('begins each stream anew', () => {
  const redaction = createRedaction(core, [SECRET]);
  expect(redact(redaction, [SECRET.slice(0, 8)])).toBe(SECRET.slice(0, 8));
  expect(redact(redaction, [SECRET.slice(8)])).toBe(SECRET.slice(8));
});

it('shows nothing more of a stream that it cannot look at, and goes on with the next', () => {
  let isBroken = false;
  const breaking = (redactor: Redactor): Redactor =>
    Object.assign(Object.create(redactor), {
      push: (chunk: string) => {
        if (isBroken) throw new Error('no memory');
        return redactor.push(chunk);
      },
      end: () => redactor.end(),
      [Symbol.dispose]: () => redactor[Symbol.dispose](),
    });
  const redaction = createRedaction({ createRedactor: (secrets) => breaking(core.createRedactor(secrets)) }, [SECRET]);
  const stream = redaction.begin();
  stream.push('abcabcabd');
  isBroken = true;
  expect(Buffer.from(stream.push('-secret')).toString()).toContain('left out, since it cannot be redacted: no memory');
  isBroken = false;
  expect(stream.push('-secret more')).toHaveLength(0);
  expect(stream.end()).toHaveLength(0);
  expect(redaction.text(`next ${SECRET}`)).toBe('next ***');
});

it('takes a fresh redactor when the idle ones were lost to a defect elsewhere', () => {
  const lost = new Set<Redactor>();
  const made: Redactor[] = [];
  const createRedactor = (secrets: readonly (string | Uint8Array)[]): Redactor => {
    const redactor = core.createRedactor(secrets);
    const losable: Redactor = Object.assign(Object.create(redactor), {
      push: (chunk: string) => {
        if (lost.has(losable)) throw new CoreError('InstanceLost', 'make another');
        return redactor.push(chunk);
      },
      end: () => redactor.end(),
      [Symbol.dispose]: () => redactor[Symbol.dispose](),
    });
    made.push(losable);
    return losable;
  };
  const redaction = createRedaction({ createRedactor }, [SECRET]);
  const streams = [redaction.begin(), redaction.begin()];
  for (const stream of streams) stream.push('x');
  for (const stream of streams) stream.end();
  for (const redactor of made) lost.add(redactor);
  expect(redact(redaction, ['first ', SECRET])).toBe('first ***');
  expect(made).toHaveLength(3);
  // What was in one that is lost in the midst of a stream cannot be looked at any more.
  const stream = redaction.begin();
  stream.push('abcabcabd');
  for (const redactor of made) lost.add(redactor);
  expect(Buffer.from(stream.push('-secret')).toString()).toContain('left out');
});
