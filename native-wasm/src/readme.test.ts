import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadCore } from './node.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test('the examples of the README do what they say', async () => {
  const code = /```ts\nimport .*\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  let count = 0;
  const checked = code.replace(/^(.*); \/\/ → (.*)$/gm, (_, expression, value) => {
    count += 1;
    return `expect(${expression}).toEqual(${value});`;
  });
  await new AsyncFunction('expect', 'loadCore', checked)(expect, loadCore);
  expect(count).toBeGreaterThan(10);
});

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
  ...source: string[]
) => (...args: unknown[]) => Promise<void>;
