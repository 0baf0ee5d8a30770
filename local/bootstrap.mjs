#!/usr/bin/env node
// Runs before dependencies are installed and on whatever Node the machine has: built-in modules only, nothing newer than Node 20.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');

/** Each takes `--help`. */
const commands = {
  start: ['local/src/start.ts', 'bring everything up and run the example workflow'],
  test: ['local/src/test.ts', 'run all tests'],
  check: ['local/src/check.ts', 'types, format, lint, dead code, generated files'],
  local: ['local/src/cli.ts', 'the local platform: up, down, status, logs, output, reset, env, dead-letters'],
  bench: ['bench/src/main.ts', 'run the benchmarks'],
  search: ['operator/src/testing/simulation/search.ts', 'look for an order of events that breaks a Workflow'],
  bundle: ['local/src/images/bundle-cli.ts', 'bundle the processes, for building the images elsewhere'],
  wasm: ['local/src/native-wasm/build.ts', 'build the core of operations on code; needs Rust'],
  fuzz: ['local/src/native-wasm/fuzz.ts', 'look for inputs that break the core of operations on code; needs Rust'],
  generate: ['local/src/generate.ts', 'write the files that are generated from the schemas'],
};

const [command = '', ...args] = process.argv.slice(2);
if (!Object.hasOwn(commands, command)) {
  const list = Object.entries(commands).map(([name, [, text]]) => `  ${name.padEnd(9)} ${text}`);
  console.log(
    `Usage: npm run <command> [-- arguments]\n\n${list.join('\n')}\n\nnpm run <command> -- --help says more.`,
  );
  process.exit(command === '--help' || command === '-h' ? 0 : 2);
}
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 11)) {
  console.error(`Node ${process.versions.node} is too old: version 20.11 or newer is needed.`);
  process.exit(1);
}
if (!isInstalled()) await install();
process.exit(await runCommand(commands[command][0], args));

/** Whether node_modules holds what package-lock.json says. npm writes the record of what it installed last of all. */
function isInstalled() {
  const record = join(repository, 'node_modules/.package-lock.json');
  if (!existsSync(record) || !existsSync(join(repository, 'node_modules/.bin/node'))) return false;
  const wanted = lockedPackages(join(repository, 'package-lock.json'));
  const installed = lockedPackages(record);
  return Object.entries(wanted).every(([path, { version, integrity, link, optional, peer }]) => {
    if (!path.includes('node_modules/')) return true;
    const present = installed[path];
    // Optional ones are for other platforms; whether the right ones are there shows when they are used.
    if (!present) return optional === true || peer === true;
    return link === true ? present.link === true : present.version === version && present.integrity === integrity;
  });
}

function lockedPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

async function install() {
  const total = Object.values(lockedPackages(join(repository, 'package-lock.json'))).filter(
    ({ optional }) => !optional,
  ).length;
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const output = [];
  let fetched = 0;
  console.error(`  … Installing ${total} npm packages (about 30 s)`);
  const timer = setInterval(() => {
    // Half by what has been fetched, for each package its description and its archive, and half by the time it usually takes.
    const fraction = Math.min(0.95, fetched / total / 4 + seconds() / 80);
    const filled = Math.floor(fraction * 20);
    const left = fraction > 0.05 ? `${Math.ceil((seconds() * (1 - fraction)) / fraction)} s left` : `${seconds()} s`;
    const line = `  ${'█'.repeat(filled)}${'░'.repeat(20 - filled)} Installing npm packages · ${left}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
    else if (seconds() % 10 === 0) console.error(line);
  }, 1000);
  // Not `npm ci`: it refuses a lock file that lacks packages of other platforms, as one made behind a mirror does
  // (https://github.com/npm/cli/issues/9846). That what is locked is what was installed is checked below.
  // The lock file has no addresses of archives, so npm reads the description of each package first. From its cache where it can:
  // versions are pinned, and one that a cached description lacks is looked up.
  const options = ['--prefer-offline', '--no-save', '--no-fund', '--no-audit', '--loglevel=http'];
  const npm = spawn('npm', ['install', ...options], { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.on('data', (chunk) => {
      const text = String(chunk);
      output.push(text);
      fetched += text.split('http fetch GET').length - 1 + (text.split('http cache').length - 1);
    });
  }
  const code = await new Promise((done) => {
    npm.once('error', (error) => {
      output.push(`${error.message}\n`);
      done(1);
    });
    npm.once('close', done);
  });
  clearInterval(timer);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  if (code === 0 && isInstalled()) {
    console.error(`  ✓ Installing npm packages (${seconds()} s)`);
    return;
  }
  const lines = output
    .join('')
    .split('\n')
    .filter((line) => /^npm error/.test(line));
  console.error(`  ✗ Installing npm packages\n${lines.slice(0, 25).join('\n')}`);
  console.error(
    code === 0
      ? 'What npm installed is not what package-lock.json says. Likely remedy: `npm install`, and commit package-lock.json.'
      : 'Likely remedy: check that `npm ping` reaches the registry, then run the command again.',
  );
  process.exit(1);
}

/** Runs a TypeScript file under the project's own Node, whose tools come first in PATH. Returns its exit code. */
function runCommand(file, args) {
  const bin = join(repository, 'node_modules/.bin');
  const child = spawn(join(bin, 'node'), [join(repository, file), ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
      // Whoever waits counts from here, the installation of packages included.
      MILLWRIGHT_COMMAND_AT: String(Math.round(performance.timeOrigin)),
    },
  });
  // From a terminal the child gets Ctrl-C as well and decides itself; a signal to this process alone is passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((done) => {
    child.once('error', (error) => {
      console.error(error.message);
      done(1);
    });
    child.once('close', (code, signal) => done(code ?? 128 + constants.signals[signal]));
  });
}
