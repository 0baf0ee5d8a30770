/** The fence: what a commit of an agent may change. Reads both trees, and every version of a file that the commit brings. */
import type { Finding, Policy } from '@millwright/crds';
import { type Core, CoreError, type Listing, type PathReport } from '@millwright/native-wasm';
import { bounded, type Change, type Judgement } from './judgement.ts';
import { gitBytes, type ObjectOptions, TooLargeError } from './objects.ts';
import { type Found, findSecrets } from './secrets.ts';
import { findWeakenings, type Weakening } from './tests.ts';
import { type ChangedEntry, listChanges, listNewObjects, listTree, type NewObject } from './trees.ts';

/** Which field of a Project's policy decides about a violation. */
const fields: Readonly<Record<string, string>> = {
  'denied-class': 'spec.policy.paths.classes',
  'denied-glob': 'spec.policy.paths.deny',
  'not-allowed': 'spec.policy.paths.allow',
};

/**
 * Judges a change. What is too large to be judged, or judged by a policy that is wrong, is refused.
 * @throws GitError when git fails, CoreError when the core does: nothing is known of the change then
 */
export async function judge(core: Core, change: Change, deadline: number): Promise<Judgement> {
  const options: ObjectOptions = { repository: change.repository, deadline };
  try {
    const read = Promise.all([
      listChanges(change.base, change.commit, options),
      listTree(change.base, options),
      listTree(change.commit, options),
      listNewObjects(change.base, change.commit, options),
    ]);
    // What is no commit cannot be listed either.
    read.catch(() => undefined);
    if (!(await isCommit(change.commit, options))) return refusal(`${change.commit} is no commit`);
    const [changes, before, after, added] = await read;
    const { policy } = change;
    const paths = judgePaths(core, before, after, policy);
    const [secrets, tests] = await Promise.all([
      judgeSecrets(core, added, changes, policy, options),
      judgeTests(core, changes, policy, options),
    ]);
    return {
      refused: bounded([...paths.refused, ...secrets.refused, ...tests.refused]),
      reported: bounded([...tests.reported, ...secrets.reported, ...paths.reported]),
    };
  } catch (error) {
    if (error instanceof TooLargeError)
      return refusal(`too large to be judged: ${error.message}: make the change smaller`);
    if (!(error instanceof CoreError)) throw error;
    if (error.code === 'Budget' || error.code === 'Size')
      return refusal(`too large to be judged: ${error.message}: make the change smaller`);
    const problem = problemIn(error);
    if (problem !== undefined) return refusal(problem);
    throw error;
  }
}

/** What is wrong with a policy by itself, whatever is changed; undefined: nothing. */
export function problemOf(core: Pick<Core, 'judgePaths'>, policy: Policy): string | undefined {
  const nothing: Listing = { entries: Buffer.alloc(0), targets: [] };
  try {
    judgePaths(core, nothing, nothing, policy);
    return undefined;
  } catch (error) {
    const problem = error instanceof CoreError ? problemIn(error) : undefined;
    if (problem === undefined) throw error;
    return problem;
  }
}

const wrongPolicy: ReadonlySet<string> = new Set(['Glob', 'Policy', 'Intolerable']);

const problemIn = ({ code, message }: CoreError): string | undefined =>
  wrongPolicy.has(code) ? `spec.policy.paths of the Project is wrong: ${message}` : undefined;

const refusal = (message: string): Judgement => ({ refused: [{ kind: 'path', path: '', message }], reported: [] });

interface Findings {
  refused: Finding[];
  reported: Finding[];
}

async function isCommit(id: string, options: ObjectOptions): Promise<boolean> {
  const limit = { bytes: 1024, what: 'a type' };
  const type = await gitBytes(['cat-file', '-t', id], options, limit);
  return type.toString().trim() === 'commit';
}

function judgePaths(
  core: Pick<Core, 'judgePaths'>,
  before: Listing,
  after: Listing,
  policy: Policy | undefined,
): Findings {
  const { allow, deny, classes, tolerated } = policy?.paths ?? {};
  const report = core.judgePaths(before, after, {
    ...(allow ? { allow } : {}),
    ...(deny ? { deny } : {}),
    ...(classes ? { classes: withoutUndefined(classes) } : {}),
    ...(tolerated ? { tolerated } : {}),
  });
  const refused = report.findings.map(({ violation, message }): Finding => {
    const field = fields[violation];
    // The sentence has the path.
    return { kind: 'path', path: '', message: field === undefined ? message : `${message} (${field})` };
  });
  return { refused, reported: reportedClasses(report) };
}

const withoutUndefined = <V>(entries: { [name: string]: V | undefined }): { [name: string]: V } =>
  Object.fromEntries(Object.entries(entries).filter((entry): entry is [string, V] => entry[1] !== undefined));

/** One finding for each kind of files, by the first of them; what is refused is told already. */
function reportedClasses({ paths, findings }: PathReport): Finding[] {
  const refused = new Set(findings.map(({ path }) => path));
  const byClass = new Map<string, { path: Uint8Array; count: number }>();
  for (const [index, { path, classes }] of paths.entries()) {
    if (refused.has(index)) continue;
    for (const name of classes) {
      const known = byClass.get(name);
      if (known) known.count += 1;
      else byClass.set(name, { path, count: 1 });
    }
  }
  return [...byClass].map(([name, { path, count }]) => ({
    kind: 'path',
    path: Buffer.from(path).toString('utf8'),
    message: count === 1 ? name : `${name}, and ${count - 1} more of this kind`,
  }));
}

async function judgeSecrets(
  core: Core,
  inHistory: readonly NewObject[],
  changes: readonly ChangedEntry[],
  policy: Policy | undefined,
  options: ObjectOptions,
): Promise<Findings> {
  const verdict = policy?.secrets ?? 'deny';
  if (verdict === 'allow') return { refused: [], reported: [] };
  // By each of its paths: which of them it has says how bad a secret in it is.
  const inTree = changes.flatMap(({ path, after }): NewObject[] => (after === undefined ? [] : [{ id: after, path }]));
  const added = new Map([...inHistory, ...inTree].map((object) => [`${object.id} ${object.path}`, object])).values();
  const before = changes.flatMap((entry) => (entry.before === undefined ? [] : [entry.before]));
  const found = await findSecrets(core, [...added], before, options);
  // What is less sure is often made up: passwords in tests and documents, values that only look random.
  const isRefused = ({ severity }: Found) => verdict === 'deny' && severity === 'high';
  const refused = found.filter(isRefused).map(({ finding }) => ({
    ...finding,
    message: `a secret, ${finding.message}: take it out of every commit, and revoke it if it is in use`,
  }));
  const reported = found
    .filter((one) => !isRefused(one))
    .map(({ finding }) => ({ ...finding, message: `may be a secret: ${finding.message}` }));
  return { refused, reported };
}

async function judgeTests(
  core: Core,
  changes: readonly ChangedEntry[],
  policy: Policy | undefined,
  options: ObjectOptions,
): Promise<Findings> {
  const verdict = policy?.tests ?? 'report';
  if (verdict === 'allow') return { refused: [], reported: [] };
  const order: Weakening['confidence'][] = ['high', 'medium', 'low'];
  const found = (await findWeakenings(core, changes, options)).toSorted(
    (a, b) => order.indexOf(a.confidence) - order.indexOf(b.confidence),
  );
  const isRefused = ({ confidence }: Weakening) => verdict === 'deny' && confidence !== 'low';
  return {
    refused: found.filter(isRefused).map(({ finding }) => ({
      ...finding,
      message: `${finding.message}: leave the tests as strong as they were (spec.policy.tests)`,
    })),
    reported: found.filter((one) => !isRefused(one)).map(({ finding }) => finding),
  };
}
