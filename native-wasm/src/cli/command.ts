import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { Core } from '../core.ts';

/** What a command has to do with. */
export interface Terminal {
  core: Core;
  /** Where relative paths begin. */
  cwd: string;
  write(text: string | Uint8Array): void;
  /** What comes to standard input. */
  read(): Uint8Array;
}

export interface Command {
  /** In a few words. */
  summary: string;
  /** The lines of `--help`, from "Usage:" on. */
  help: string;
  /** @returns 0: as one would wish; 1: differences, findings, what did not apply, or no hits */
  run(terminal: Terminal, args: string[]): number;
}

/** Arguments that mean nothing, with the remedy. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something that cannot be done, with the remedy. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Reads the options of a command. */
export function parse<const O extends NonNullable<ParseArgsConfig['options']>>(args: string[], options: O) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** A number of an option. */
export function number(name: string, value: string | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(value)) throw new UsageError(`--${name} is a whole number from 0 on, not "${value}"`);
  return Number(value);
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
