/**
 * The condition language of `when`: comparisons with == and != of `tasks.<name>.phase`, `tasks.<name>.reason`, `params.<name>` and
 * string literals in single quotes, joined by &&, ||, ! and parentheses. Small on purpose: it always ends and reads nothing else.
 */
import { isFinished, taskPhases } from '@millwright/crds';

/** What a condition may look at. */
export interface WhenScope {
  task(name: string): { phase: string; reason: string };
  param(name: string): string;
}

export type When = (scope: WhenScope) => boolean;

interface Value {
  of: (scope: WhenScope) => string;
  /** Of what stands in quotes. */
  literal?: string;
  isPhase?: boolean;
}

/** Phases of a dependency at the time a condition is looked at. */
const PHASES = [...taskPhases.filter(isFinished), 'Skipped'];

export type ParsedWhen = { ok: true; when: When } | { ok: false; message: string };

class SyntaxProblem extends Error {}

const TOKEN = /\s*(&&|\|\||==|!=|!|\(|\)|'(?:[^'\\]|\\.)*'|[A-Za-z_][-A-Za-z0-9_]*(?:\.[-A-Za-z0-9_]+)*)/y;
const MAX_DEPTH = 32;

/** What other languages have, by how it begins. */
const remedies: Readonly<Record<string, string>> = {
  '=': ': use == to compare',
  '"': ": put text in single quotes, such as 'Failed'",
};

function unreadable(rest: string): SyntaxProblem {
  return new SyntaxProblem(`cannot read "${rest.slice(0, 20)}"${remedies[rest.charAt(0)] ?? ''}`);
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match?.[1]) throw unreadable(text.slice(at).trim());
    tokens.push(match[1]);
  }
  return tokens;
}

/**
 * Parses a condition.
 * @param known names of the task's dependencies and of the Workflow's params: a condition may use no others
 */
export function parseWhen(
  text: string,
  known: { tasks: ReadonlySet<string>; params: ReadonlySet<string> },
): ParsedWhen {
  let tokens: string[];
  let position = 0;
  const peek = () => tokens[position];
  const take = () => {
    const token = tokens[position++];
    if (token === undefined) throw new SyntaxProblem('the condition ends too early');
    return token;
  };

  function value(): Value {
    const token = take();
    if (token.startsWith("'")) {
      const literal = token.slice(1, -1).replaceAll(/\\(.)/g, '$1');
      return { of: () => literal, literal };
    }
    const [root, name = '', field] = token.split('.');
    if (root === 'params' && name !== '' && field === undefined) {
      if (!known.params.has(name)) throw new SyntaxProblem(`"${token}" names no entry of spec.params`);
      return { of: (scope) => scope.param(name) };
    }
    if (root === 'tasks' && (field === 'phase' || field === 'reason')) {
      if (!known.tasks.has(name))
        throw new SyntaxProblem(`"${token}" names no dependency of the task; add "${name}" to dependsOn`);
      return { of: (scope) => scope.task(name)[field], isPhase: field === 'phase' };
    }
    throw new SyntaxProblem(
      `"${token}" is not known; use tasks.<name>.phase, tasks.<name>.reason, params.<name> or 'text'`,
    );
  }

  function comparison(depth: number): When {
    if (depth > MAX_DEPTH) throw new SyntaxProblem('the condition is nested too deeply');
    if (peek() === '!') {
      take();
      const inner = comparison(depth + 1);
      return (scope) => !inner(scope);
    }
    if (peek() === '(') {
      take();
      const inner = disjunction(depth + 1);
      if (take() !== ')') throw new SyntaxProblem('a ) is missing');
      return inner;
    }
    const left = value();
    const operator = take();
    if (operator !== '==' && operator !== '!=') throw new SyntaxProblem(`expected == or != before "${operator}"`);
    const right = value();
    // A slip in the name of a phase would skip the task without a word.
    for (const { literal } of left.isPhase || right.isPhase ? [left, right] : [])
      if (literal !== undefined && !PHASES.includes(literal))
        throw new SyntaxProblem(`no phase is called '${literal}': a dependency ends ${PHASES.join(', ')}`);
    return (scope) => (left.of(scope) === right.of(scope)) === (operator === '==');
  }

  function conjunction(depth: number): When {
    const parts = [comparison(depth)];
    while (peek() === '&&') {
      take();
      parts.push(comparison(depth));
    }
    return (scope) => parts.every((part) => part(scope));
  }

  function disjunction(depth: number): When {
    const parts = [conjunction(depth)];
    while (peek() === '||') {
      take();
      parts.push(conjunction(depth));
    }
    return (scope) => parts.some((part) => part(scope));
  }

  try {
    tokens = tokenize(text);
    const when = disjunction(0);
    if (position < tokens.length) return { ok: false, message: `unexpected "${tokens[position]}"` };
    return { ok: true, when };
  } catch (error) {
    if (error instanceof SyntaxProblem) return { ok: false, message: error.message };
    throw error;
  }
}
