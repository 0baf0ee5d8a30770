import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLiveLog, firstPiece, textDecoder } from './live-log.ts';

describe('firstPiece', () => {
  it('cuts any text into pieces that fit into an event and lose nothing', () => {
    const parts = fc.constantFrom('a', 'é', '\u{1f600}', '\u0001', '"', '\n');
    fc.assert(
      fc.property(fc.array(fc.tuple(parts, fc.integer({ min: 1, max: 30_000 })), { maxLength: 4 }), (runs) => {
        const text = runs.map(([part, times]) => part.repeat(times)).join('');
        let rest = text;
        let joined = '';
        while (rest !== '') {
          const piece = firstPiece(rest);
          expect(piece.length).toBeGreaterThan(0);
          expect(Buffer.byteLength(JSON.stringify(piece))).toBeLessThanOrEqual(48 * 1024);
          expect(piece.isWellFormed()).toBe(true);
          joined += piece;
          rest = rest.slice(piece.length);
        }
        expect(joined).toBe(text);
      }),
    );
  });
});

describe('the live log', () => {
  const recorder = () => {
    const sent: string[] = [];
    return {
      sent,
      publish: (stream: string, text: string) => {
        sent.push(`${stream}: ${text}`);
        return Promise.resolve();
      },
    };
  };

  it('joins what is of one stream and keeps the order', async () => {
    const { sent, publish } = recorder();
    const log = createLiveLog({ publish });
    log.write('stdout', 'a');
    log.write('stdout', 'b');
    log.write('stderr', 'c');
    log.write('stdout', 'd');
    await log.close(1_000);
    expect(sent).toEqual(['stdout: ab', 'stderr: c', 'stdout: d']);
  });

  it('leaves out what comes too fast, says so, and goes on', async () => {
    let now = 0;
    const { sent, publish } = recorder();
    const log = createLiveLog({ publish, now: () => now, rate: 10, burst: 10 });
    log.write('stdout', '1234567890');
    log.write('stdout', 'too much');
    now = 1_000;
    log.write('stdout', 'later');
    await log.close(1_000);
    expect(sent[0]).toBe('stdout: 1234567890');
    expect(sent[1]).toMatch(/^system: … 8 characters/);
    expect(sent[2]).toBe('stdout: later');
  });

  it('does not wait for ever for a broker that is away', async () => {
    const log = createLiveLog({ publish: () => new Promise(() => undefined) });
    for (let n = 0; n < 100; n++) log.write('stdout', 'x'.repeat(5_000));
    await log.close(50);
  });

  it('survives batches that are refused', async () => {
    const log = createLiveLog({ publish: () => Promise.reject(new Error('no')) });
    log.write('stdout', 'x');
    await log.close(1_000);
  });
});

describe('textDecoder', () => {
  it('puts characters together that chunks have cut, and replaces NUL', () => {
    const decoder = textDecoder();
    const bytes = Buffer.from('é\0x');
    expect(decoder.push(bytes.subarray(0, 1)) + decoder.push(bytes.subarray(1)) + decoder.end()).toBe('é\u{fffd}x');
  });
});
