import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonEqual, mergePatchBetween } from './merge-patch.ts';

/** RFC 7386, section 2, word for word. */
function apply(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = apply(result[key], value);
  }
  return result;
}

const cases: { name: string; from: unknown; to: unknown; patch: unknown }[] = [
  { name: 'nothing changes', from: { a: 1, b: { c: [1] } }, to: { b: { c: [1] }, a: 1 }, patch: undefined },
  { name: 'a value changes', from: { a: 1, b: 2 }, to: { a: 1, b: 3 }, patch: { b: 3 } },
  { name: 'a member goes', from: { a: 1, b: 2 }, to: { a: 1 }, patch: { b: null } },
  { name: 'undefined is absence', from: { a: 1 }, to: { a: undefined }, patch: { a: null } },
  { name: 'null is absence', from: { a: 1 }, to: { a: 1, b: null }, patch: undefined },
  {
    name: 'nested members change alone',
    from: { a: { b: 1, c: 2 } },
    to: { a: { b: 1, c: 3 } },
    patch: { a: { c: 3 } },
  },
  { name: 'arrays are replaced whole', from: { a: [1, 2] }, to: { a: [1, 3] }, patch: { a: [1, 3] } },
  { name: 'an object takes the place of an array', from: { a: [1] }, to: { a: { b: 1 } }, patch: { a: { b: 1 } } },
  { name: 'from nothing', from: {}, to: { a: { b: 1 } }, patch: { a: { b: 1 } } },
];
it.each(cases)('$name', ({ from, to, patch }) => {
  expect(mergePatchBetween(from, to)).toEqual(patch);
});

it('the patch always leads to what is wanted, and a second one is not needed', () => {
  const json = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, fc.integer(), fc.string(), fc.boolean(), tie('array'), tie('object')),
    array: fc.array(tie('value'), { maxLength: 3 }),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value'), { noNullPrototype: true }),
  })).object;
  fc.assert(
    fc.property(json, json, (from, to) => {
      const patch = mergePatchBetween(from, to);
      const result = patch === undefined ? from : apply(from, patch);
      expect(jsonEqual(result, to)).toBe(true);
      expect(mergePatchBetween(result, to)).toBeUndefined();
    }),
  );
});
