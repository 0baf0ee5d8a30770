import { describe, expect, it } from 'vitest';
import { deadLettersCommand } from './dead-letters-cli.ts';

describe('the command', () => {
  it.each([
    [[], 2],
    [['--help'], 0],
    [['list', '-h'], 0],
    [['redrive'], 2],
    [['drop', '--all', 'id'], 2],
    [['list', '--limit', 'x'], 2],
    [['explode'], 2],
    [['list', '--unknown'], 2],
  ])('explains itself for %j, without a broker', async (argv, code) => {
    const lines: string[] = [];
    const url = () => {
      throw new Error('no broker is needed');
    };
    expect(await deadLettersCommand(argv, url, (line) => lines.push(line))).toBe(code);
    expect(lines.join('\n')).toContain('dead-letters redrive --all');
  });
});
