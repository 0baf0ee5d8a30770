/** One check: a command that exits with 0 when all is well. */
export interface CheckStep {
  readonly name: string;
  /** Run without a shell, in the repository or in `cwd` below it. */
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
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
  {
    name: 'The WASM is current',
    command: ['node', 'local/src/native-wasm/build.ts'],
    changesNothing: true,
    remedy: 'commit what `npm run wasm` wrote',
  },
  { name: 'Types', command: ['tsc', '-p', '.'] },
  {
    name: 'Format and lint',
    command: ['biome', 'check', '--error-on-warnings', '.'],
    remedy: '`npm run format` mends most of it',
  },
  { name: 'Dead code', command: ['knip'] },
  ...['agents/workspace', 'native-wasm', 'native-wasm/peers'].flatMap(rustSteps),
  // Its lint would build libFuzzer. What the targets call is in native-wasm.
  rustFormat('native-wasm/fuzz'),
];

function rustFormat(folder: string): CheckStep {
  return { name: `Rust format of ${folder}`, command: ['cargo', 'fmt', '--check'], cwd: folder, remedy: '`cargo fmt`' };
}

function rustSteps(folder: string): CheckStep[] {
  const clippy = ['clippy', '--quiet', '--all-targets', '--locked', '--', '-D', 'warnings'];
  return [
    rustFormat(folder),
    { name: `Rust lint of ${folder}`, command: ['cargo', ...clippy], cwd: folder },
    {
      name: `Rust documentation of ${folder}`,
      command: ['cargo', 'doc', '--quiet', '--no-deps', '--locked'],
      cwd: folder,
      env: { RUSTDOCFLAGS: '-D warnings' },
    },
  ];
}
