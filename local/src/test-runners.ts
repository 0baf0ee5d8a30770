import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a runner found. `broken` says that something other than a test failed, such as a file that could not be loaded. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly broken?: string;
}

export interface TestRunner {
  readonly name: string;
  readonly description: string;
  /** A file that must exist for the runner to have something to do. */
  readonly when?: string;
  run(repository: string, filters: readonly string[]): Promise<Outcome>;
}

/** Everything that `npm test` runs, in this order: what is quick and needs least comes first. */
export const testRunners: readonly TestRunner[] = [
  vitestProject('unit', 'pure code, needs nothing'),
  {
    name: 'rust',
    description: 'the exec server of the sandbox',
    when: 'agents/workspace/Cargo.toml',
    run: (repository) => cargoTest(join(repository, 'agents/workspace')),
  },
  vitestProject('integration', 'against the real API server, broker and database, SQL policies included'),
  vitestProject('e2e', 'whole workflows with real pods'),
];

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

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
        return outcome(code, found.numPassedTests, found.numFailedTests, found.numPendingTests + found.numTodoTests);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

async function cargoTest(folder: string): Promise<Outcome> {
  const { code, output } = await show('cargo', ['test', '--locked', '--quiet'], folder);
  const sum = (word: string) =>
    [...output.matchAll(new RegExp(`^test result: .*?(\\d+) ${word}`, 'gm'))].reduce(
      (total, [, count]) => total + Number(count),
      0,
    );
  return outcome(code, sum('passed'), sum('failed'), sum('ignored'));
}

const nothing: Outcome = { passed: 0, failed: 0, skipped: 0 };

function outcome(code: number | null, passed: number, failed: number, skipped: number): Outcome {
  const broken = code !== 0 && failed === 0 ? `ended with exit code ${code} although no test failed` : undefined;
  return { passed, failed, skipped, ...(broken ? { broken } : {}) };
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
