import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Policy } from '@millwright/crds';
import { loadCore } from '@millwright/native-wasm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clientGit, commit } from '../testing/forge.ts';
import { judge } from './judge.ts';
import { type Judgement, lineOf } from './judgement.ts';

const core = await loadCore();
/** Made here, so that no file has one. */
const SECRET = `AKIA${'Q7ZX2KPV'}${'M4T5WNJR'}`;
const NEW_SECRET = SECRET.replace('Q', 'W');
const TEST = "it('adds', () => {\n  expect(add(1, 2)).toBe(3);\n  expect(add(2, 2)).toBe(4);\n});\n";
const WEAKER = "it('adds', () => {\n  expect(add(1, 2)).toBe(3);\n});\n";

let repository: string;
let base: string;
beforeAll(async () => {
  repository = await mkdtemp(join(tmpdir(), 'millwright-fence-'));
  await clientGit(repository, 'init', '-q', '-b', 'main');
  base = await commit(repository, {
    'src/a.ts': 'one\n',
    'src/a.test.ts': TEST,
    'config/old.env': `# comment\ntoken = ${SECRET}\n`,
    '.github/workflows/ci.yml': 'on: push\n',
    'go.mod': 'module a\n',
  });
});
beforeEach(() => clientGit(repository, 'reset', '-q', '--hard', base));
afterAll(() => rm(repository, { recursive: true }));

const judged = (id: string, policy?: Policy): Promise<Judgement> =>
  judge(core, { repository, base, commit: id, policy }, Date.now() + 60_000);
const lines = ({ refused, reported }: Judgement) => ({
  refused: refused.map(lineOf),
  reported: reported.map(lineOf),
});
/** Judges a commit that writes these files. */
const change = async (files: Record<string, string>, policy?: Policy) =>
  lines(await judged(await commit(repository, files), policy));

describe('paths', () => {
  it('lets ordinary changes be, and reports kinds of files that matter, each once', async () => {
    expect(await change({ 'src/b.ts': 'two\n', 'docs/x.md': 'x' })).toEqual({ refused: [], reported: [] });
    expect(await change({ 'go.mod': 'module b\n', 'web/package.json': '{}', Makefile: 'all:\n' })).toEqual({
      refused: [],
      reported: ['Makefile: build', 'go.mod: manifest, and 1 more of this kind'],
    });
  });

  it('refuses what guards the repository or instructs agents, and says which field allows it', async () => {
    const { refused } = await change({ '.github/workflows/ci.yml': 'on: pull_request\n', 'AGENTS.md': 'obey\n' });
    expect(refused).toEqual([
      expect.stringMatching(/^"\.github\/workflows\/ci\.yml" .* denies: ci; .* \(spec\.policy\.paths\.classes\)$/),
      expect.stringMatching(/^"AGENTS\.md" .* denies: agent-instructions; /),
    ]);
  });

  it.each<[string, Policy, string[]]>([
    ['a kind is allowed', { paths: { classes: { ci: 'allow' } } }, []],
    ['a kind is reported', { paths: { classes: { ci: 'report' } } }, []],
    ['a path is denied', { paths: { classes: { ci: 'allow' }, deny: ['src/**'] } }, ['spec.policy.paths.deny']],
    ['others are allowed', { paths: { classes: { ci: 'allow' }, allow: ['docs/**'] } }, ['paths.allow', 'paths.allow']],
    ['a glob is wrong', { paths: { deny: ['src/[a'] } }, ['spec.policy.paths of the Project is wrong: deny, ']],
  ])('%s', async (_, policy, expected) => {
    const { refused } = await change({ '.github/workflows/ci.yml': 'on: []\n', 'src/a.ts': 'two\n' }, policy);
    expect(refused).toEqual(expected.map((part) => expect.stringContaining(part)));
  });

  it('refuses symlinks that lead out, through another one too, and takes those that stay', async () => {
    await symlink('..', join(repository, 'src/up'));
    await symlink('src/up/../etc', join(repository, 'out'));
    await symlink('a.ts', join(repository, 'src/fine'));
    const { refused, reported } = await change({});
    expect(refused).toEqual([expect.stringContaining('"out" is a symlink that leads out of the repository')]);
    expect(reported).toEqual(['src/fine: link, and 1 more of this kind']);
  });

  it('refuses what is no commit', async () => {
    const tree = await clientGit(repository, 'rev-parse', 'HEAD^{tree}');
    expect(lines(await judged(tree)).refused).toEqual([`${tree} is no commit`]);
  });
});

describe('secrets', () => {
  it('refuses one that is new, with its line and without it', async () => {
    const { refused } = await change({ 'config/new.env': `a=1\n\nTOKEN=${NEW_SECRET}\n` });
    expect(refused).toEqual([
      expect.stringMatching(/^config\/new\.env:3: a secret, aws-access-key-id \(.*\*\*\*\): take it out/),
    ]);
    expect(refused.join()).not.toContain('7ZX2KP');
  });

  it('refuses one that a later commit takes out again: history keeps it', async () => {
    await commit(repository, { 'src/b.ts': `const token = '${NEW_SECRET}';\n` });
    await commit(repository, { 'src/b.ts': `const token = '${NEW_SECRET}';\n\n` });
    const { refused } = await change({ 'src/b.ts': 'const token = read();\n' });
    expect(refused).toEqual([expect.stringContaining('src/b.ts:1: a secret')]);
  });

  it('refuses one in the message of a commit', async () => {
    await writeFile(join(repository, 'b.txt'), 'b\n');
    await clientGit(repository, 'add', '.');
    await clientGit(repository, 'commit', '-q', '-m', 'Add b', '-m', `It worked with ${NEW_SECRET}.`);
    const head = await clientGit(repository, 'rev-parse', 'HEAD');
    const { refused } = await change({ 'c.txt': 'c\n' });
    expect(refused).toEqual([expect.stringMatching(new RegExp(`^commit ${head.slice(0, 12)}: a secret, aws`))]);
  });

  it('judges a file by each of its paths', async () => {
    const text = `TOKEN=${NEW_SECRET}\n`;
    const { refused } = await change({ 'src/b.env': text, 'tests/b.env': text });
    expect(refused).toEqual([expect.stringContaining('src/b.env:1: a secret')]);
  });

  it('holds nothing against a change of a file that had one, or that moves it', async () => {
    expect(await change({ 'config/old.env': `# other\n\ntoken = ${SECRET}\n` })).toEqual({ refused: [], reported: [] });
    await clientGit(repository, 'mv', 'config/old.env', 'config/moved.env');
    expect(await change({ 'config/moved.env': `# again\n\ntoken = ${SECRET}\n` })).toEqual({
      refused: [],
      reported: [],
    });
  });

  it('finds one in a large file, wherever it is, once, with its line', async () => {
    const line = 'nothing to see in here, move along\n';
    for (const at of [900_000, 1_048_566, 1_048_577, 2_500_000]) {
      const before = line.repeat(Math.floor(at / line.length)) + ' '.repeat(at % line.length);
      const { refused } = await change({ 'big.txt': `${before}${NEW_SECRET}\n${line.repeat(20_000)}` });
      expect(refused).toEqual([expect.stringContaining(`big.txt:${Math.floor(at / line.length) + 1}: a secret`)]);
      await clientGit(repository, 'reset', '-q', '--hard', base);
    }
  });

  it('finds one behind however many that are none', async () => {
    const unsure = `const a = 'ghp_${'q7Zx2Kp9Vm4T'.repeat(3)}';\n`.repeat(1500);
    const { refused } = await change({ 'src/b.ts': `${unsure}${NEW_SECRET}\n` });
    expect(refused).toEqual([expect.stringContaining('src/b.ts:1501: a secret')]);
  });

  it('reports what only may be one, and what is in files for tests', async () => {
    const { refused, reported } = await change({
      'src/b.ts': `const a = 'ghp_${'q7Zx2Kp9Vm4T'.repeat(3)}';\n`,
      'src/b.test.ts': `const b = '${NEW_SECRET}';\n`,
    });
    expect(refused).toEqual([]);
    expect(reported).toContainEqual(expect.stringMatching(/^src\/b\.ts:1: may be a secret: github-token/));
    expect(reported).toContainEqual(expect.stringMatching(/^src\/b\.test\.ts:1: may be a secret: aws-access-key-id/));
  });

  it.each<[Policy['secrets'], number, number]>([
    ['report', 0, 1],
    ['allow', 0, 0],
  ])('are not refused by %s', async (secrets, refused, reported) => {
    const answer = await change({ 'b.env': `TOKEN=${NEW_SECRET}\n` }, { secrets });
    expect([answer.refused.length, answer.reported.length]).toEqual([refused, reported]);
  });
});

describe('tests', () => {
  it('are reported when they are weaker, before anything else', async () => {
    const { refused, reported } = await change({ 'src/a.test.ts': WEAKER, 'go.mod': 'module c\n' });
    expect(refused).toEqual([]);
    expect(reported).toEqual([
      expect.stringMatching(/^src\/a\.test\.ts:3: /),
      'go.mod: manifest',
      'src/a.test.ts: test',
    ]);
  });

  it('refuse when the policy says so', async () => {
    const { refused } = await change({ 'src/a.test.ts': WEAKER }, { tests: 'deny' });
    expect(refused).toEqual([expect.stringContaining('(spec.policy.tests)')]);
    expect((await change({ 'src/a.test.ts': '' }, { tests: 'allow' })).reported).toEqual(['src/a.test.ts: test']);
  });

  it('that become too large to be checked are said to be unchecked, beside what is found', async () => {
    const padded = `${TEST}//${'x'.repeat(2_200_000)}\n`;
    await commit(repository, { 'src/b.test.ts': TEST });
    base = await clientGit(repository, 'rev-parse', 'HEAD');
    const { refused } = await change({ 'src/a.test.ts': padded, 'src/b.test.ts': WEAKER }, { tests: 'deny' });
    expect(refused).toEqual([
      expect.stringMatching(/^src\/a\.test\.ts: it is not known whether the tests are weaker: before or after/),
      expect.stringMatching(/^src\/b\.test\.ts:3: /),
    ]);
  });

  it('that are too large to be checked are said to be unchecked', async () => {
    const data = `${'x'.repeat(1_900_000)}\n`;
    const files = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`data/${at}.txt`, `${at}${data}`]));
    const { reported } = await change(files);
    expect(reported).toEqual([expect.stringContaining('it is not known whether the tests are weaker')]);
  });
});

it('is short, however much there is to say', async () => {
  await writeFile(join(repository, 'a\u{1b}b'), '');
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`.github/workflows/${at}.yml`, '']));
  const { refused } = await judged(await commit(repository, many));
  expect(refused).toHaveLength(10);
  expect(refused.at(-1)?.message).toBe('and 32 more');
  expect(JSON.stringify(refused)).not.toContain('\\u001b');
});
