import { describe, expect, it } from 'vitest';
import { groupNames, parseOptions, UsageError } from './options.ts';

const without = (name: string) => groupNames.filter((group) => group !== name);

describe('parseOptions', () => {
  it.each([
    { name: 'everything but the peers by default', args: [], groups: without('peers') },
    { name: 'peers in place of burst', args: ['--peers'], groups: without('burst') },
    { name: 'what is asked for', args: ['--only', 'memory', '--only', 'burst'], groups: ['memory', 'burst'] },
    { name: 'peers beside what is asked for', args: ['--only', 'burst', '--peers'], groups: ['burst', 'peers'] },
    { name: 'peers once', args: ['--only', 'peers', '--peers'], groups: ['peers'] },
  ])('measures $name', ({ args, groups }) => {
    expect(parseOptions(args)).toMatchObject({ groups });
  });

  it('reads numbers', () => {
    const args = ['--rounds', '5', '--minutes', '0.5', '--size', '0.1', '--profile', '--output', 'x.jsonl'];
    expect(parseOptions(args)).toMatchObject({ rounds: 5, minutes: 0.5, size: 0.1, profile: true, output: 'x.jsonl' });
    expect(parseOptions([])).toMatchObject({ rounds: 3, minutes: 3, size: 1, profile: false, output: undefined });
  });

  it.each(['--help', '-h'])('%s asks for help', (arg) => {
    expect(parseOptions([arg])).toBe('help');
  });

  it.each([
    { args: ['--only', 'speed'], remedy: /no measure "speed": --only takes one of core, dispatch, / },
    { args: ['--rounds', '0'], remedy: /--rounds takes a whole number from 1, not "0"/ },
    { args: ['--rounds', '1.5'], remedy: /--rounds takes a whole number/ },
    { args: ['--rounds', 'many'], remedy: /not "many"/ },
    { args: ['--rounds', ''], remedy: /not ""/ },
    { args: ['--minutes', '0'], remedy: /--minutes takes a number of minutes/ },
    { args: ['--minutes', 'Infinity'], remedy: /--minutes/ },
    { args: ['--size', '2'], remedy: /--size takes a number above 0 and up to 1/ },
    { args: ['--fast'], remedy: /--fast/ },
    { args: ['dispatch'], remedy: /dispatch/ },
  ])('refuses $args', ({ args, remedy }) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(remedy);
  });
});
