import { eventMessage, MAX_MESSAGE_BYTES } from '@millwright/crds';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decode, encode, largestField } from './codec.ts';
import { InvalidMessageError, OversizedError } from './errors.ts';

const schema = z.strictObject({ name: z.string(), parts: z.array(z.string()).optional() });

describe('encode', () => {
  it('names the part that makes a message too big', () => {
    const message = { name: 'x', parts: ['a', 'b'.repeat(70_000)] };
    expect(() => encode(schema, message)).toThrow(OversizedError);
    expect(() => encode(schema, message)).toThrow('parts[1]');
  });

  it('counts bytes, not characters, and takes a message of exactly the limit', () => {
    const envelope = Buffer.byteLength(JSON.stringify({ name: '' }));
    expect(encode(schema, { name: 'x'.repeat(MAX_MESSAGE_BYTES - envelope) })).toHaveLength(MAX_MESSAGE_BYTES);
    expect(() => encode(schema, { name: 'x'.repeat(MAX_MESSAGE_BYTES - envelope + 1) })).toThrow(OversizedError);
    expect(() => encode(schema, { name: 'é'.repeat(MAX_MESSAGE_BYTES / 2) })).toThrow(OversizedError);
  });

  const cyclic: { name: string; self?: unknown } = { name: 'x' };
  cyclic.self = cyclic;
  it.each([
    ['a wrong type', { name: 1 }, 'name'],
    ['an unknown key', { name: 'x', other: 1 }, 'other'],
    ['a cycle', cyclic, 'cannot be written as JSON'],
    ['nothing', undefined, 'cannot be written as JSON'],
  ])('refuses %s', (_, message, words) => {
    expect(() => encode(schema, message as never)).toThrow(InvalidMessageError);
    expect(() => encode(schema, message as never)).toThrow(words);
  });
});

describe('decode', () => {
  it.each([
    ['empty', Buffer.alloc(0), /^malformed: /],
    ['not JSON', Buffer.from('{"name":'), /^malformed: /],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0x00]), /^malformed: /],
    ['another schema', Buffer.from('{"name":1}'), /^invalid: .*\n.*name/],
    ['null', Buffer.from('null'), /^invalid: /],
    ['oversized', Buffer.alloc(MAX_MESSAGE_BYTES + 1, 0x20), /^oversized: 65537 bytes/],
    ['deeply nested', Buffer.from(`${'['.repeat(30_000)}${']'.repeat(30_000)}`), /^(invalid|malformed): /],
  ])('gives the reason for %s', (_, content, reason) => {
    const decoded = decode(schema, content);
    expect(decoded).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
  });

  it('leaves out what a newer version has added, however deep', () => {
    const newer = z.strictObject({ kind: z.literal('a'), inner: z.array(z.strictObject({ name: z.string() })) });
    const union = z.discriminatedUnion('kind', [newer, z.strictObject({ kind: z.literal('b') })]);
    const content =
      '{"kind":"a","added":{"x":1},"inner":[{"name":"n"},{"name":"m","added":2,"__proto__":3}],"more":[]}';
    expect(decode(union, Buffer.from(content))).toEqual({
      ok: true,
      message: { kind: 'a', inner: [{ name: 'n' }, { name: 'm' }] },
    });
  });

  it('does not make up for what is missing or wrong beside it', () => {
    const decoded = decode(schema, Buffer.from('{"name":1,"added":2}'));
    expect(decoded).toMatchObject({ ok: false, reason: expect.stringMatching(/^invalid: .*\n.*name$/) });
  });

  it('gives a reason when a refinement of the schema throws', () => {
    const throwing = z.string().refine(() => {
      throw new Error('boom');
    });
    expect(decode(throwing, Buffer.from('"x"'))).toEqual({ ok: false, reason: 'invalid: boom' });
  });

  it('never throws, whatever bytes arrive', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decode(eventMessage, Buffer.from(bytes)).ok).toBe(false);
      }),
    );
  });

  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.record({ name: fc.string({ unit: 'grapheme' }) }), (message) => {
        expect(decode(schema, encode(schema, message))).toEqual({ ok: true, message });
      }),
    );
  });
});

describe('largestField', () => {
  it.each([
    [{ a: { b: ['x', 'y'.repeat(100)] } }, 'a.b[1]'],
    [{ a: 'x'.repeat(50), b: 'y'.repeat(50), c: 'z'.repeat(50) }, ''],
    [['x'.repeat(9)], '[0]'],
    ['text', ''],
    [null, ''],
  ])('%#', (value, path) => {
    expect(largestField(value)).toBe(path);
  });
});
