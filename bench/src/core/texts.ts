import { Random } from './random.ts';

/** Two versions of a file. */
export interface Pair {
  name: string;
  before: Uint8Array;
  after: Uint8Array;
}

const words = ['index', 'count', 'result', 'name', 'path', 'value', 'error', 'options', 'client', 'request'] as const;
const types = ['string', 'int', 'error', 'bool', '[]byte', 'context.Context'] as const;

const encoder = new TextEncoder();
export const bytesOf = (lines: readonly string[]): Uint8Array =>
  encoder.encode(lines.map((line) => `${line}\n`).join(''));

/** Lines as source code has them: functions of some lines, where braces, empty lines and the like occur again and again. */
export function sourceLines(count: number, random: Random): string[] {
  const lines: string[] = [];
  const name = () => `${random.of(words)}${random.below(1000)}`;
  while (lines.length < count) {
    lines.push(`// ${name()} is what ${name()} needs.`, `func ${name()}(${name()} ${random.of(types)}) error {`);
    for (let left = 3 + random.below(20); left > 0; left--) lines.push(statement(random, name));
    lines.push('\treturn nil', '}', '');
  }
  return lines.slice(0, count);
}

function statement(random: Random, name: () => string): string {
  const indent = '\t'.repeat(1 + random.below(3));
  switch (random.below(6)) {
    case 0:
      return `${indent}if err != nil {`;
    case 1:
      return `${indent}}`;
    case 2:
      return `${indent}return fmt.Errorf("${name()}: %w", err)`;
    default:
      return `${indent}${name()} := ${name()}.${name()}(${name()}, ${random.below(100)})`;
  }
}

/** A version in which a line in fifty has been changed, removed or joined by another, some of them together. */
export function edited(lines: readonly string[], random: Random): string[] {
  const after: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    const many = random.below(100) === 0 ? 1 + random.below(3) : 0;
    switch (many === 0 ? 'keep' : random.of(['change', 'remove', 'insert'])) {
      case 'change':
        for (let i = 0; i < many; i++) after.push(`${lines[at + i] ?? ''} // changed ${random.below(10_000)}`);
        at += many;
        break;
      case 'remove':
        at += many;
        break;
      case 'insert':
        for (let i = 0; i < many; i++) after.push(`\tinserted${random.below(10_000)}()`);
        after.push(line);
        at += 1;
        break;
      default:
        after.push(line);
        at += 1;
    }
  }
  return after;
}

/** A file of so many lines that was edited. */
export function editedPair(count: number): Pair {
  const random = new Random(count);
  const lines = sourceLines(count, random);
  return { name: `${count} lines`, before: bytesOf(lines), after: bytesOf(edited(lines, random)) };
}

/** Bytes of a file between two hunks: 5,000 of them are in 10 MiB. */
const BYTES_PER_HUNK = (10 * 2 ** 20) / 5000;

/** A file with so many changed lines at equal distances, in a size in proportion. */
export function spreadPair(hunks: number): Pair {
  const random = new Random(hunks);
  const lines: string[] = [];
  for (let left = hunks * BYTES_PER_HUNK; left > 0; ) {
    for (const line of sourceLines(1000, random)) {
      lines.push(line);
      left -= line.length + 1;
    }
  }
  const after = [...lines];
  const distance = Math.floor(lines.length / hunks);
  for (let hunk = 0; hunk < hunks; hunk++)
    after[Math.floor((hunk + 0.5) * distance)] = `\tchanged${random.below(1_000_000)}()`;
  return { name: `${hunks} hunks`, before: bytesOf(lines), after: bytesOf(after) };
}
