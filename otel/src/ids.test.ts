import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomSpanId, randomTraceId, spanIdOf, traceIdOf } from './ids.ts';
import { parseTraceparent, traceparent } from './traceparent.ts';

const uid = '0b9c7f5e-6f0e-4c38-8d0a-2f3a0c1e5b77';

describe('ids', () => {
  it('are the first bytes of a SHA-256, so that any process in any language can derive them', () => {
    const digest = (text: string) => createHash('sha256').update(text).digest('hex');
    expect(traceIdOf(uid)).toBe(digest(uid).slice(0, 32));
    expect(spanIdOf(uid, 'build', 2, 'attempt')).toBe(digest(`${uid}|build|2|attempt`).slice(0, 16));
  });

  it('differ when anything differs', () => {
    const ids = [
      spanIdOf(uid, 'build', 1, 'attempt'),
      spanIdOf(uid, 'build', 2, 'attempt'),
      spanIdOf(uid, 'build', 1, 'verify'),
      spanIdOf(uid, 'test', 1, 'attempt'),
      spanIdOf(`${uid}0`, 'build', 1, 'attempt'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('that are random have the right form', () => {
    expect(randomTraceId()).toMatch(/^[0-9a-f]{32}$/);
    expect(randomSpanId()).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('traceparent', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.string(), fc.boolean(), (text, sampled) => {
        const [traceId, spanId] = [traceIdOf(text), spanIdOf(text, '', 0, 'x')];
        expect(parseTraceparent(traceparent(traceId, spanId, sampled))).toEqual({ traceId, spanId, sampled });
      }),
    );
  });

  const trace = 'a'.repeat(32);
  const span = 'b'.repeat(16);
  const cases = [
    { name: 'absent', header: undefined, valid: false },
    { name: 'empty', header: '', valid: false },
    { name: 'no trace', header: `00-${'0'.repeat(32)}-${span}-01`, valid: false },
    { name: 'no span', header: `00-${trace}-${'0'.repeat(16)}-01`, valid: false },
    { name: 'capitals', header: `00-${trace.toUpperCase()}-${span}-01`, valid: false },
    { name: 'too long for version 00', header: `00-${trace}-${span}-01-more`, valid: false },
    { name: 'a later version with more', header: `01-${trace}-${span}-01-more`, valid: true },
    { name: 'the forbidden version', header: `ff-${trace}-${span}-01`, valid: false },
    { name: 'unknown flags', header: `00-${trace}-${span}-ff`, valid: true },
    { name: 'a line break', header: `00-${trace}-${span}-01\n`, valid: false },
  ];
  it.each(cases)('$name', ({ header, valid }) => {
    expect(parseTraceparent(header)).toEqual(valid ? { traceId: trace, spanId: span, sampled: true } : undefined);
  });
});
