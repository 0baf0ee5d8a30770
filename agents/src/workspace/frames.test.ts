import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameError, frameDecoder } from './frames.ts';

describe('frames', () => {
  it('are put together however the stream is cut', () => {
    const frame = fc.record({
      header: fc.dictionary(fc.string(), fc.jsonValue()),
      payload: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(({ header, payload }) => encodeFrame(header, payload)));
          const decode = frameDecoder();
          const found = [];
          for (let from = 0, n = 0; from < bytes.length; n++) {
            const size = cuts[n % cuts.length] ?? 1;
            found.push(...decode(bytes.subarray(from, from + size)));
            from += size;
          }
          const plain = frames.map(({ header, payload }) => ({
            header: JSON.parse(JSON.stringify(header)),
            payload: Buffer.from(payload),
          }));
          expect(found.map(({ header, payload }) => ({ header, payload: Buffer.from(payload) }))).toEqual(plain);
        },
      ),
    );
  });

  it.each([
    ['a header of 4 GiB', Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
    ['a payload of 4 GiB', Buffer.from([0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff])],
    ['a header that is not JSON', Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0x7b])],
  ])('refuses %s', (_name, bytes) => {
    expect(() => frameDecoder()(bytes)).toThrow(FrameError);
  });
});
