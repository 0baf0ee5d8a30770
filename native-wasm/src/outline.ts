import type { ByteRange } from './edits.ts';
import type { Answer, Bytes } from './frame.ts';
import * as glue from './generated/core.js';
import type { Instance } from './instance.ts';

/** What a definition defines, in the order of their numbers in answers. */
export const definitionKinds = [
  'function',
  'method',
  'class',
  'interface',
  'implementation',
  'type',
  'module',
  'constant',
  'macro',
  'test',
] as const;

/** `class`: structs, enums and records too; `interface`: traits too; `implementation`: an `impl` of Rust, named after its type; `test`: groups of tests too. */
export type DefinitionKind = (typeof definitionKinds)[number];

/** A definition by its place in a text. */
export interface OutlineEntry {
  /** A test that is named by a string has what is between the quotes. */
  name: Uint8Array;
  kind: DefinitionKind;
  /** Line of the name, from 1 on. */
  line: number;
  /** Line of the end of its body. */
  lastLine: number;
  /** In bytes. */
  nameAt: ByteRange;
  /** From its keyword, or its name where there is none, to the end of its body, in bytes. */
  wholeAt: ByteRange;
  /** Index of the definition around it in the outline. */
  parent?: number;
}

export interface OutlinedText {
  /** Its extension says the language. */
  path: Bytes;
  contents: Bytes;
}

/**
 * Lists what texts define: functions, types, constants, tests, in the order of the text. JavaScript, TypeScript, Python, Go, Rust and Java are known.
 *
 * @returns for each text its definitions, undefined when its language is not known
 * @throws CoreError `Size`, `Memory`
 */
export function outlineTexts(instance: Instance, texts: readonly OutlinedText[]): (OutlineEntry[] | undefined)[] {
  return instance.call(
    glue.outlineTexts,
    (request) => {
      for (const { path, contents } of texts) request.bytes(path).bytes(contents);
    },
    (answer) => texts.map(() => (answer.bool() ? readOutline(answer) : undefined)),
  );
}

export function readOutline(answer: Answer): OutlineEntry[] {
  return answer.list(() => {
    const entry = {
      name: answer.bytes(),
      kind: readKind(answer),
      line: answer.u32(),
      lastLine: answer.u32(),
      nameAt: { start: answer.u32(), end: answer.u32() },
      wholeAt: { start: answer.u32(), end: answer.u32() },
    };
    const parent = answer.u32();
    return parent === 0 ? entry : { ...entry, parent: parent - 1 };
  });
}

export function readKind(answer: Answer): DefinitionKind {
  return definitionKinds[answer.u32()] ?? 'constant';
}
