import { expect, it } from 'vitest';
import { chain, diamonds, fanOut, type Shape } from './shapes.ts';

/** Layers as the dependencies themselves make them: a task's layer is one more than the highest of those it depends on. */
function layersOf({ tasks }: Shape): number[] {
  const layer = new Map<string, number>();
  const sizes: number[] = [];
  for (const { name = '', dependsOn = [] } of tasks) {
    const own = Math.max(-1, ...dependsOn.map((before) => layer.get(before) ?? Number.NaN)) + 1;
    layer.set(name, own);
    sizes[own] = (sizes[own] ?? 0) + 1;
  }
  return sizes;
}

it.each([fanOut(5), chain(4), diamonds(3, 2), diamonds(1, 1)])('the floor runs the layers of $name', (shape) => {
  expect(layersOf(shape)).toEqual(shape.layers);
});

it('has as many tasks as the measure says', () => {
  expect(fanOut(1000).tasks).toHaveLength(1000);
  expect(chain(200).tasks).toHaveLength(200);
  expect(diamonds(50, 19).tasks).toHaveLength(1000);
});
