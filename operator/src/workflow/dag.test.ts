import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aWorkflow, type TaskInput } from '../testing/objects.ts';
import { compileDag, editDistance } from './dag.ts';

const compile = (tasks: NonNullable<TaskInput['tasks']>, params?: Record<string, string>) =>
  compileDag(aWorkflow({ tasks, ...(params ? { params } : {}) }).spec);

describe('refused', () => {
  test.each<[string, NonNullable<TaskInput['tasks']>, string, string]>([
    ['itself', [{ name: 'a', dependsOn: ['a'] }], 'DependencyCycle', 'in a circle: a → a; remove'],
    [
      'a circle, without what only leads to it',
      [
        { name: 'in', dependsOn: ['a'] },
        { name: 'a', dependsOn: ['b'] },
        { name: 'b', dependsOn: ['c'] },
        { name: 'c', dependsOn: ['a', 'free'] },
        { name: 'free' },
      ],
      'DependencyCycle',
      'in a circle: a → b → c → a; remove',
    ],
    [
      'a long circle, cut short',
      Array.from({ length: 30 }, (_, i) => ({ name: `t${i}`, dependsOn: [`t${(i + 1) % 30}`] })),
      'DependencyCycle',
      't0 → t1 → t2 → t3 → t4 → t5 → t6 → t7 → t8 → t9 → … → t0;',
    ],
    [
      'a slip of the pen',
      [{ name: 'build' }, { name: 'test', dependsOn: ['biuld'] }],
      'UnknownDependency',
      'spec.tasks[1].dependsOn of task "test" names "biuld", which the Workflow does not have; did you mean "build"?',
    ],
    [
      'several problems, all of which are told',
      [{ name: 'a' }, { name: 'b', dependsOn: ['c'] }, { name: 'd', dependsOn: ['a'], when: 'tasks.a.phase' }],
      'UnknownDependency',
      'did you mean "a"? | spec.tasks[2].when of task "d": the condition ends too early',
    ],
    [
      'something else altogether',
      [{ name: 'build' }, { name: 'test', dependsOn: ['deploy-it-all'] }],
      'UnknownDependency',
      'name one of its tasks, or remove the entry',
    ],
    [
      'a condition on no dependency',
      [{ name: 'a' }, { name: 'b', when: "tasks.a.phase == 'Failed'" }],
      'InvalidSpec',
      'spec.tasks[1].when of task "b": "tasks.a.phase" names no dependency',
    ],
    [
      'a condition on no param',
      [{ name: 'a', when: "params.x == ''" }],
      'InvalidSpec',
      'names no entry of spec.params',
    ],
  ])('%s', (_, tasks, reason, message) => {
    expect(compile(tasks)).toEqual({ ok: false, reason, message: expect.stringContaining(message) });
  });
});

describe('accepted', () => {
  test('a condition on a dependency and a param', () => {
    const tasks = [{ name: 'a' }, { name: 'b', dependsOn: ['a'], when: 'tasks.a.phase == params.x' }];
    expect(compile(tasks, { x: '' }).ok).toBe(true);
  });

  test('ends are what nothing depends on', () => {
    const compiled = compile([{ name: 'c', dependsOn: ['a'] }, { name: 'a' }, { name: 'b' }]);
    expect(compiled.ok && compiled.dag.sinks).toEqual(['b', 'c']);
  });

  /** Edges from later to earlier names, listed in any order. */
  const dags = fc.array(fc.array(fc.nat(99), { maxLength: 4 }), { minLength: 1, maxLength: 40 }).chain((rows) =>
    fc.shuffledSubarray(
      rows.map((edges, i) => ({
        name: `t${i}`,
        dependsOn: [...new Set(edges.map((edge) => `t${edge % Math.max(1, i)}`))].filter((name) => name !== `t${i}`),
      })),
      { minLength: rows.length },
    ),
  );

  test('every DAG, in an order in which dependencies come first', () => {
    fc.assert(
      fc.property(dags, (tasks) => {
        const compiled = compile(tasks);
        if (!compiled.ok) return false;
        const seen = new Set<string>();
        for (const node of compiled.dag.nodes) {
          if (!node.dependsOn.every((name) => seen.has(name))) return false;
          seen.add(node.task.name);
        }
        return seen.size === tasks.length;
      }),
    );
  });

  test('no DAG with one edge back, and the circle it names is one', () => {
    fc.assert(
      fc.property(dags, fc.nat(), (tasks, pick) => {
        const compiled = compile(tasks);
        const chosen = tasks[pick % tasks.length];
        if (!compiled.ok || !chosen) return false;
        const first = chosen.dependsOn[0] ?? chosen.name;
        const back = tasks.map((task) =>
          task.name === first ? { ...task, dependsOn: [...new Set([...task.dependsOn, chosen.name])] } : task,
        );
        const refused = compile(back);
        const path = refused.ok ? [] : (/circle: (.*);/.exec(refused.message)?.[1] ?? '').split(' → ');
        const edges = new Map(back.map((task) => [task.name, task.dependsOn]));
        const shown = path.includes('…') ? path.slice(0, path.indexOf('…')) : path;
        return (
          shown.length > 1 &&
          path[0] === path.at(-1) &&
          shown.every((name, i) => i === 0 || edges.get(shown[i - 1] ?? '')?.includes(name) === true)
        );
      }),
    );
  });

  test('2,000 tasks in a chain quickly', () => {
    const tasks = Array.from({ length: 2000 }, (_, i) => ({
      name: `t${i}`,
      ...(i > 0 ? { dependsOn: [`t${i - 1}`] } : {}),
    }));
    const { spec } = aWorkflow({ tasks });
    const started = performance.now();
    expect(compileDag(spec).ok).toBe(true);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

test.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['build', 'biuld', 2],
])('the distance of "%s" and "%s" is %i', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});
