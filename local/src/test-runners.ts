import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** What a runner found. `broken` says that something other than a test failed, such as a file that could not be loaded. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** For each failed test: where it is, what it is called, what went wrong. */
  readonly failures: readonly string[];
  readonly broken?: string;
}

export interface TestRunner {
  readonly name: string;
  readonly description: string;
  run(repository: string, filters: readonly string[]): Promise<Outcome>;
}

/** Everything that `npm test` runs, in this order: what is quick and needs least comes first. */
export const testRunners: readonly TestRunner[] = [
  vitestProject('unit', 'pure code, needs nothing'),
  cargoTest('exec-server', 'agents/workspace', 'the exec server of the sandbox'),
  cargoTest('core', 'native-wasm', 'the operations on code, in Rust'),
  cargoTest('core-peer', 'native-wasm/peers', 'the same as a native program, for the benchmarks'),
  vitestProject('browser', 'the operations on code, in a Chromium'),
  vitestProject('integration', 'against the real API server, broker and database, SQL policies included'),
  vitestProject('e2e', 'whole workflows with real pods'),
];

interface VitestReport {
  readonly numPassedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const MESSAGE_LINES = 5;
const MESSAGE_WIDTH = 1000;

const failuresOf = (repository: string, { testResults }: VitestReport): string[] =>
  testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages = [] }) => {
        const lines = stripVTControlCharacters(failureMessages[0] ?? '').split('\n');
        // The first say what went wrong; of a property that does not hold, also where it failed and for what.
        const message = lines.slice(0, MESSAGE_LINES).map((line) => line.slice(0, MESSAGE_WIDTH));
        return `${relative(repository, name)}: ${fullName}: ${message.join('\n    ')}`;
      }),
  );

function vitestProject(name: string, description: string): TestRunner {
  return {
    name,
    description,
    async run(repository, filters) {
      const folder = mkdtempSync(join(tmpdir(), 'millwright-test-'));
      try {
        const report = join(folder, 'report.json');
        const { code } = await show(
          'vitest',
          [
            ...['run', '--project', name, '--passWithNoTests', ...filters],
            ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
          ],
          repository,
        );
        if (!existsSync(report)) return { ...nothing, ...(code === 0 ? {} : { broken: `vitest ended with ${code}` }) };
        const found = JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
        const skipped = found.numPendingTests + found.numTodoTests;
        return outcome(code, found.numPassedTests, failuresOf(repository, found), skipped);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

function cargoTest(name: string, folder: string, description: string): TestRunner {
  return {
    name,
    description,
    async run(repository) {
      const { code, output } = await show('cargo', ['test', '--locked', '--quiet'], join(repository, folder));
      const sum = (word: string) =>
        [...output.matchAll(new RegExp(`^test result: .*?(\\d+) ${word}`, 'gm'))].reduce(
          (total, [, count]) => total + Number(count),
          0,
        );
      const failures = [...output.matchAll(/^test (.*) \.\.\. FAILED$|^---- (.*) stdout ----$/gm)];
      return outcome(
        code,
        sum('passed'),
        [...new Set(failures.map(([, long, quiet]) => long ?? quiet ?? ''))],
        sum('ignored'),
      );
    },
  };
}

const nothing: Outcome = { passed: 0, failed: 0, skipped: 0, failures: [] };

function outcome(code: number | null, passed: number, failures: readonly string[], skipped: number): Outcome {
  const failed = failures.length;
  const broken = code !== 0 && failed === 0 ? `ended with exit code ${code} although no test failed` : undefined;
  return { passed, failed, skipped, failures, ...(broken ? { broken } : {}) };
}

/** Runs a command whose output the person sees as it comes, and keeps the output. */
function show(command: string, args: readonly string[], cwd: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...colour } });
    let output = '';
    const keep = (to: NodeJS.WriteStream) => (chunk: Buffer) => {
      output += chunk.toString('utf8');
      to.write(chunk);
    };
    child.stdout.on('data', keep(process.stdout));
    child.stderr.on('data', keep(process.stderr));
    child.once('error', (error) => resolve({ code: null, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}

const colour = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
