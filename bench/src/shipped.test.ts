import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { heapLimitMiB, parseContainerfile, shippedOperator } from './shipped.ts';

it('starts node as the image does', () => {
  const text = [
    'FROM base',
    'COPY dist/*.js /app/',
    'ENV NODE_ENV=production \\',
    '    NODE_OPTIONS="--enable-source-maps --max-semi-space-size=8"',
    'ENV MALLOC_ARENA_MAX=2 OTHER=value NODE_EXTRA_CA_CERTS=/etc/ca.pem',
    'CMD ["node", "--max-old-space-size=256", "/app/operator.js"]',
  ].join('\n');
  expect(parseContainerfile(text, '/repo/operator/dist')).toEqual({
    args: ['--max-old-space-size=256', '/repo/operator/dist/operator.js'],
    env: {
      NODE_ENV: 'production',
      NODE_OPTIONS: '--enable-source-maps --max-semi-space-size=8',
      MALLOC_ARENA_MAX: '2',
      NODE_EXTRA_CA_CERTS: '/etc/ca.pem',
    },
  });
});

it('takes the last CMD, as an image does', () => {
  expect(parseContainerfile('CMD ["node", "/app/a.js"]\nCMD ["node", "/app/b.js"]', '/d').args).toEqual(['/d/b.js']);
});

it.each(['FROM base', 'CMD ["tini", "node", "/app/a.js"]'])('refuses %s', (text) => {
  expect(() => parseContainerfile(text, '/d')).toThrow(/does not start node/);
});

it("understands the operator's own Containerfile", () => {
  const repository = resolve(import.meta.dirname, '../..');
  expect(existsSync(resolve(repository, 'operator/Containerfile'))).toBe(true);
  expect(shippedOperator(repository).args).toEqual([
    expect.stringMatching(/^--max-old-space-size=\d+$/),
    resolve(repository, 'operator/dist/operator.js'),
  ]);
});

it.each([
  ['512Mi', 256],
  ['1Gi', 512],
])('gives the heap half of %s', (memory, limit) => expect(heapLimitMiB(memory)).toBe(limit));

it('says which value it does not understand', () => {
  expect(() => heapLimitMiB('0.5G')).toThrow('operator.resources.limits.memory of the chart is 0.5G');
});
