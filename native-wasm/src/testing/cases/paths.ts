import { type Case, text, thrown } from './case.ts';

export const pathsCases: readonly Case[] = [
  {
    name: 'paths: a change of a tree is judged with reasons',
    run: (core) => {
      const entry = (mode: string, path: string) => `${mode} ${mode === '160000' ? 'commit' : 'blob'} 01\t${path}\0`;
      const before = { entries: entry('100644', 'src/main.rs') };
      const after = {
        entries: [
          entry('100644', 'src/main.rs'),
          entry('100644', '.GIT/config'),
          entry('100644', '.github/workflows/x.yml'),
          entry('100644', 'package-lock.json'),
          entry('120000', 'keys'),
        ].join(''),
        targets: [{ path: 'keys', target: '../../.ssh' }],
      };
      const { paths, findings } = core.judgePaths(before, after, { classes: { lockfile: 'allow' } });
      return {
        paths: paths.map(({ path, canonical, ...rest }) => ({ ...rest, path: text(path), canonical: text(canonical) })),
        findings: findings.map(({ path, message }) => ({ path, message })),
      };
    },
    expected: {
      paths: [
        { path: '.GIT/config', canonical: '.git/config', change: 'added', classes: [] },
        { path: '.github/workflows/x.yml', canonical: '.github/workflows/x.yml', change: 'added', classes: ['ci'] },
        { path: 'keys', canonical: 'keys', change: 'added', classes: ['link'] },
        { path: 'package-lock.json', canonical: 'package-lock.json', change: 'added', classes: [] },
      ],
      findings: [
        {
          path: 0,
          message: '".GIT/config" has a component that is, or can be read as, `.git`, at byte 0: ".GIT"; rename it',
        },
        {
          path: 1,
          message:
            '".github/workflows/x.yml" is of a kind that the policy denies: ci; leave it as it was, or have the policy allow the kind',
        },
        {
          path: 2,
          message: '"keys" is a symlink that leads out of the repository; make its target a path in the repository',
        },
      ],
    },
  },
  {
    name: 'paths: a policy that is wrong, and a listing that is none',
    run: (core) => [
      thrown(() => core.judgePaths({ entries: '' }, { entries: '' }, { deny: ['src/{a'] })),
      thrown(() => core.judgePaths({ entries: '' }, { entries: 'no listing' })),
      thrown(() => core.judgePaths({ entries: '' }, { entries: '' }, { tolerated: ['nothing'] })),
    ],
    expected: [
      {
        code: 'Glob',
        message: 'deny, glob 0, byte 4: this `{` is never closed: add `}`, or write `\\{` for the character',
      },
      {
        code: 'Listing',
        item: 0,
        offset: 0,
        message:
          'listing, record 0 at byte 0: it does not end with a zero byte: give the whole output of `git ls-tree -r -z`',
      },
      {
        code: 'Policy',
        message:
          'there is no violation "nothing": use one of bidirectional, invalid-utf8, device, stream, long-component, duplicate, bare-repository',
      },
    ],
  },
];
