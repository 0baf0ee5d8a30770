/** One check: a command that exits with 0 when all is well. */
export interface CheckStep {
  readonly name: string;
  /** Run without a shell, in the repository or in `cwd` below it. */
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
  /** A file that must exist for the check to make sense. */
  readonly when?: string;
  /** The command writes files: the check is that it changes nothing in the work tree. */
  readonly changesNothing?: boolean;
  readonly remedy?: string;
}

/** Everything that `npm run check` does, in this order. */
export const checkSteps: readonly CheckStep[] = [
  {
    name: 'Generated files are current',
    command: ['node', 'local/src/generate.ts'],
    changesNothing: true,
    remedy: 'commit what `npm run generate` wrote',
  },
  { name: 'Types', command: ['tsc', '-p', '.'] },
  {
    name: 'Format and lint',
    command: ['biome', 'check', '--error-on-warnings', '.'],
    remedy: '`npm run format` mends most of it',
  },
  { name: 'Dead code', command: ['knip'], when: 'knip.json' },
  {
    name: 'Rust format',
    command: ['cargo', 'fmt', '--check'],
    cwd: 'agents/workspace',
    when: 'agents/workspace/Cargo.toml',
    remedy: '`cargo fmt`',
  },
  {
    name: 'Rust lint',
    command: ['cargo', 'clippy', '--quiet', '--all-targets', '--locked', '--', '-D', 'warnings'],
    cwd: 'agents/workspace',
    when: 'agents/workspace/Cargo.toml',
  },
];
