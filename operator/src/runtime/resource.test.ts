import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, defineResource, keyFor, keyOf, parseKey, pathOf } from './resource.ts';
import { widgets } from './testing/widgets.ts';

describe('compareVersions', () => {
  it('orders as integers of any size do', () => {
    const version = fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: 2n ** 80n }));
    fc.assert(
      fc.property(version, version, (a, b) => {
        const expected = a < b ? -1 : a > b ? 1 : 0;
        expect(Math.sign(compareVersions(String(a), String(b)))).toBe(expected);
      }),
    );
  });
});

describe('paths', () => {
  const pods = defineResource({ group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true });
  const nodes = defineResource({ group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false });
  const cases = [
    { name: 'core collection', path: pathOf(pods, {}), expected: '/api/v1/pods' },
    { name: 'core object', path: pathOf(pods, { namespace: 'n', name: 'p' }), expected: '/api/v1/namespaces/n/pods/p' },
    { name: 'cluster-scoped', path: pathOf(nodes, { namespace: '', name: 'x' }), expected: '/api/v1/nodes/x' },
    {
      name: 'group and subresource',
      path: pathOf(widgets, { namespace: 'n', name: 'w' }, 'status'),
      expected: '/apis/test.millwright.dev/v1/namespaces/n/widgets/w/status',
    },
    {
      name: 'a name cannot leave its segment',
      path: pathOf(pods, { namespace: 'n', name: '../x?y' }),
      expected: '/api/v1/namespaces/n/pods/..%2Fx%3Fy',
    },
  ];
  it.each(cases)('$name', ({ path, expected }) => {
    expect(path).toBe(expected);
  });
});

it('keys name an object and back', () => {
  expect(keyOf({ metadata: { namespace: 'n', name: 'a' } })).toBe('n/a');
  expect(keyFor('', 'a')).toBe('a');
  expect(parseKey('n/a')).toEqual({ namespace: 'n', name: 'a' });
  expect(parseKey('a')).toEqual({ namespace: '', name: 'a' });
});
