import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { diffTexts } from './diff.ts';
import { CoreError } from './errors.ts';
import { Instance } from './instance.ts';
import { wasmFile } from './simd.ts';

let instance: Instance;

beforeAll(async () => {
  const file = new URL(`./generated/${wasmFile()}`, import.meta.url);
  instance = new Instance(await WebAssembly.compile(readFileSync(file)));
});

const works = () => expect(diffTexts(instance, [{ before: 'a', after: 'b' }])).toMatchObject([{ added: 1 }]);

describe('an operation that traps', () => {
  const unreachable = (): never => {
    throw new WebAssembly.RuntimeError('unreachable');
  };
  // V8 throws the same when the stack is full in WebAssembly.
  const endless = (): number => 1 + endless();

  test.each([
    ['a trap', unreachable, /defect: unreachable/],
    ['a stack that is full', endless, /defect: Maximum call stack size exceeded/],
  ])('is a typed error, and the next one finds a fresh instance: %s', (_, operation, message) => {
    const trap = () =>
      instance.call(
        operation,
        () => {},
        () => {},
      );
    works();
    const { generation } = instance;
    expect(trap).toThrow(CoreError);
    expect(trap).toThrow(message);
    expect(instance.generation).toBe(generation + 2);
    works();
  });

  test('is not one that was never begun', () => {
    const { generation } = instance;
    expect(() => diffTexts(instance, [], { context: -1 })).toThrow(RangeError);
    expect(instance.generation).toBe(generation);
  });
});

describe('memory', () => {
  const MB = 2 ** 20;
  const large = () => diffTexts(instance, [{ before: Buffer.alloc(140 * MB), after: Buffer.alloc(140 * MB) }]);

  test('is given back when much was needed once', () => {
    large();
    expect(instance.memoryBytes).toBeGreaterThan(256 * MB);
    works();
    expect(instance.memoryBytes).toBeLessThan(16 * MB);
  });

  test('is kept while something lives in it', () => {
    const other = instance.hold();
    const release = instance.hold();
    other();
    other();
    large();
    works();
    expect(instance.memoryBytes).toBeGreaterThan(256 * MB);
    release();
    works();
    expect(instance.memoryBytes).toBeLessThan(16 * MB);
  });

  test('that is not there is a typed error', () => {
    const enormous = { length: 2 ** 31 } as Uint8Array;
    expect(() => diffTexts(instance, [{ before: enormous, after: '' }])).toThrow(/no memory .* give it less at a time/);
    works();
  });
});
