import { describe, expect, test } from 'vitest';
import { parseWhen } from './when.ts';

const known = { tasks: new Set(['lint', 'a-1']), params: new Set(['force', 'x']) };
const scope = {
  task: (name: string) =>
    name === 'lint' ? { phase: 'Failed', reason: 'CommandFailed' } : { phase: 'Succeeded', reason: 'Completed' },
  param: (name: string) => (name === 'force' ? 'yes' : "it's"),
};

describe('conditions', () => {
  test.each([
    ["tasks.lint.phase == 'Failed'", true],
    ["tasks.lint.phase != 'Failed'", false],
    ["tasks.a-1.reason == 'Completed'", true],
    ["params.force == 'yes'", true],
    ['params.force == params.force', true],
    ["'a' == 'b'", false],
    ["params.x == 'it\\'s'", true],
    ["!tasks.lint.phase == 'Failed'", false],
    ["!!('a' == 'a')", true],
    ["'a' == 'a' || 'a' == 'b' && 'a' == 'c'", true],
    ["('a' == 'a' || 'a' == 'b') && 'a' == 'c'", false],
    ["'a'=='a'&&'b'=='b'", true],
    ["  'a' == 'a'  ", true],
    ["'' == ''", true],
  ])('%s is %s', (text, expected) => {
    const parsed = parseWhen(text, known);
    expect(parsed.ok ? parsed.when(scope) : parsed.message).toBe(expected);
  });
});

describe('what is wrong with a condition', () => {
  test.each([
    ['tasks.lint.phase == "Failed"', /cannot read ""Failed"": put text in single quotes, such as 'Failed'$/],
    ["tasks.test.phase == 'Failed'", /names no dependency of the task; add "test" to dependsOn/],
    [
      "tasks.lint.phase == 'Suceeded'",
      /^no phase is called 'Suceeded': a dependency ends Succeeded, Failed, Cancelled, Skipped$/,
    ],
    ["'Running' != tasks.lint.phase", /no phase is called 'Running'/],
    ["params.none == 'x'", /"params.none" names no entry of spec.params/],
    ["tasks.lint.status == 'x'", /is not known; use tasks.<name>.phase/],
    ["params.force.more == 'x'", /is not known/],
    ["process == 'x'", /"process" is not known/],
    ['params.force', /the condition ends too early/],
    ["params.force = 'x'", /cannot read "= 'x'": use == to compare$/],
    ["params.force='x'", /use == to compare/],
    ["params.force === 'x'", /use == to compare/],
    ["params.force && 'x'", /expected == or != before "&&"/],
    ["('a' == 'a'", /the condition ends too early/],
    ["('a' == 'a' 'b'", /a \) is missing/],
    ["'a' == 'a')", /unexpected "\)"/],
    ["'a' == 'a' 'b'", /unexpected "'b'"/],
    ["'a' == 'open", /cannot read "'open"$/],
    [`${'('.repeat(40)}'a' == 'a'${')'.repeat(40)}`, /nested too deeply/],
    [`${'!'.repeat(40)}'a' == 'a'`, /nested too deeply/],
    ['', /the condition ends too early/],
  ])('%s', (text, message) => {
    const parsed = parseWhen(text, known);
    expect(parsed.ok ? 'accepted' : parsed.message).toMatch(message);
  });

  test('a long condition takes no noticeable time', () => {
    const text = Array.from({ length: 60 }, () => "'a' == 'b'").join(' || ');
    const started = performance.now();
    expect(parseWhen(text.padEnd(1024, ' '), known).ok).toBe(true);
    expect(parseWhen(`${' '.repeat(1023)}#`, known).ok).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
