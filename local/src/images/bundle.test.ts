import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bundleProcesses, bundles } from './bundle.ts';

let repository: string;
const write = (path: string, content: string) => {
  mkdirSync(dirname(join(repository, path)), { recursive: true });
  writeFileSync(join(repository, path), content);
};
const builds = ['core-simd.wasm', 'core-scalar.wasm'];
const operator = () => join(repository, 'operator/dist/operator.js');

beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), 'bundle-'));
  for (const { name, entry } of bundles) write(entry, `console.log(${JSON.stringify(name)});`);
  write('operator/src/main.ts', "import { greet } from './greet.ts';\ngreet();");
  // A CommonJS dependency that asks for a module of Node's own, as most of the npm registry does.
  write('operator/src/legacy.cjs', "module.exports = require('node:path').sep;");
  write(
    'operator/src/greet.ts',
    "import sep from './legacy.cjs';\nexport const greet = (): void => console.log('hello', sep);",
  );
  write('package-lock.json', '{}');
  write('supabase/migrations/20260101000000_first.sql', 'select 1;');
  write('supabase/plain-postgres.sql', 'select 2;');
  for (const build of builds) write(`native-wasm/src/generated/${build}`, '');
});
afterEach(() => rmSync(repository, { recursive: true }));

test('each process becomes one module that runs on its own, with a source map', async () => {
  await bundleProcesses(repository);
  rmSync(join(repository, 'operator/src'), { recursive: true });
  expect(execFileSync(process.execPath, [operator()], { encoding: 'utf8' })).toBe('hello /\n');
  for (const { image, name } of bundles)
    expect(existsSync(join(repository, image, 'dist', `${name}.js.map`))).toBe(true);
  expect(existsSync(join(repository, 'gateway/dist/supabase/migrations/20260101000000_first.sql'))).toBe(true);
});

test('bundles again only when a source has changed, an imported one included', async () => {
  await bundleProcesses(repository);
  const { mtimeMs } = statSync(operator());
  await bundleProcesses(repository);
  expect(statSync(operator()).mtimeMs).toBe(mtimeMs);
  write('operator/src/greet.ts', "export const greet = (): void => console.log('good bye');");
  await bundleProcesses(repository);
  expect(execFileSync(process.execPath, [operator()], { encoding: 'utf8' })).toBe('good bye\n');
});

test('a trace names the lines of the sources, and the source map is free of those of dependencies', async () => {
  write('node_modules/large/package.json', '{"main": "index.js"}');
  write('node_modules/large/index.js', `exports.run = (call) => call();\n${'exports.a = 1;\n'.repeat(1000)}`);
  write(
    'operator/src/main.ts',
    "import large from 'large';\n\nlarge.run(() => {\n  console.log(new Error('x').stack);\n});\n",
  );
  await bundleProcesses(repository);
  const stack = execFileSync(process.execPath, ['--enable-source-maps', operator()], { encoding: 'utf8' });
  expect(stack).toContain('operator/src/main.ts:4:');
  expect(stack).toContain('node_modules/large/index.js:1');
  const { mappings } = JSON.parse(readFileSync(`${operator()}.map`, 'utf8'));
  expect(mappings.length).toBeLessThan(1000);
});

test('what is imported later is not read at the start', async () => {
  write('operator/src/main.ts', "if (process.argv[2]) console.log((await import('./late.ts')).late);");
  write('operator/src/late.ts', "export const late = 'rarely needed';");
  await bundleProcesses(repository);
  expect(readFileSync(operator(), 'utf8')).not.toContain('rarely needed');
  expect(execFileSync(process.execPath, [operator(), 'now'], { encoding: 'utf8' })).toBe('rarely needed\n');
});

test('a new migration is copied', async () => {
  await bundleProcesses(repository);
  write('supabase/migrations/20260102000000_second.sql', 'select 3;');
  await bundleProcesses(repository);
  expect(existsSync(join(repository, 'gateway/dist/supabase/migrations/20260102000000_second.sql'))).toBe(true);
});

test('a bundle loads the core from the folder that goes with it', async () => {
  cpSync(fileURLToPath(new URL('../../../native-wasm/src', import.meta.url)), join(repository, 'native-wasm/src'), {
    recursive: true,
    force: true,
  });
  write(
    'agents/src/main.ts',
    "const { loadCore } = await import('../../native-wasm/src/node.ts');\nconst core = await loadCore();\n" +
      "console.log(core.diffTexts([{ before: 'a', after: 'b' }])[0]?.added);",
  );
  await bundleProcesses(repository);
  rmSync(join(repository, 'native-wasm'), { recursive: true });
  const agent = join(repository, 'agents/dist/agent.js');
  expect(execFileSync(process.execPath, [agent], { encoding: 'utf8' })).toBe('1\n');
});

test('the core is copied to those who use it, and anew when it was built anew or is gone', async () => {
  await bundleProcesses(repository);
  const copies = ['agents', 'gateway'].flatMap((image) =>
    builds.map((build) => join(repository, image, 'dist/generated', build)),
  );
  for (const copy of copies) expect(existsSync(copy)).toBe(true);
  expect(existsSync(join(repository, 'operator/dist/generated'))).toBe(false);
  for (const build of builds) write(`native-wasm/src/generated/${build}`, 'built anew');
  await bundleProcesses(repository);
  for (const copy of copies) expect(readFileSync(copy, 'utf8')).toBe('built anew');
  for (const copy of copies) rmSync(copy);
  await bundleProcesses(repository);
  for (const copy of copies) expect(readFileSync(copy, 'utf8')).toBe('built anew');
});

test('removes what nobody has any more, such as the bundle of a process that is no longer in the table', async () => {
  write('operator/dist/former.js', '');
  write('agents/dist/generated/former.wasm', '');
  await bundleProcesses(repository);
  expect(existsSync(join(repository, 'operator/dist/former.js'))).toBe(false);
  expect(existsSync(join(repository, 'agents/dist/generated/former.wasm'))).toBe(false);
});

test('a missing entry is an error that names it', async () => {
  rmSync(join(repository, 'agents/src/main.ts'));
  await expect(bundleProcesses(repository)).rejects.toThrow('agents/src/main.ts');
});
