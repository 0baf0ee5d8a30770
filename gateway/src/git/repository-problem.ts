/** What people are told who have named a repository that cannot be read: the field, what is wrong, and what to correct; in one line. */
import type { ForgeFailure, ForgeFailureKind } from '../shared/forge-failure.ts';
import type { ProjectSource } from '../shared/projects.ts';
import { redacted } from '../shared/redacted.ts';

const MAX_URL = 300;
const MAX_WORDS = 300;

const shorten = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text);
const shown = async (url: string): Promise<string> => shorten(await redacted(url), MAX_URL);

/** The forge's words without what the message says anyway. */
const briefly = (words: string): string =>
  shorten(words.replace(/^fatal: (unable to access '[^']*': )?/, ''), MAX_WORDS);

/** `[what is wrong, what to correct]`. */
type Problem = (url: string, words: string, hasLogin: boolean) => [string, string];

const problems: Partial<Record<ForgeFailureKind, Problem>> = {
  notFound: (url, _, hasLogin) => [
    `no such repository: ${url}`,
    hasLogin
      ? "correct it, or give the Project's credentials access to it"
      : 'correct it, or if it is private, set spec.repository.credentialsSecretRef',
  ],
  credentials: (url, words, hasLogin) =>
    hasLogin
      ? [
          `no access to ${url}: the credentials are not taken (${words})`,
          'set spec.repository.credentialsSecretRef to a Secret whose username and token it takes',
        ]
      : // Forges say this, too, of a repository that does not exist.
        [
          `${url} is not shown without credentials (${words})`,
          'correct it, or if it is private, set spec.repository.credentialsSecretRef',
        ],
  forbidden: (url, words) => [
    `no access to ${url} (${words})`,
    "correct it, or give the Project's credentials the right to read it",
  ],
  unknownHost: (url, words) => [`the host of ${url} is not known (${words})`, 'correct it, or the name server'],
  unsupported: (url, words) => [
    `not a repository that can be used: ${url} (${words})`,
    'correct it to the https:// clone URL',
  ],
  damaged: (url, words) => [
    `${url} does not pass git's checks (${words})`,
    'repair the repository: git fsck there says what is wrong',
  ],
};

const passing: Problem = (url, words) => [
  `${url} cannot be read for now (${words})`,
  'it is tried again; correct it unless only the forge is away',
];

/** Why the repository of a Project cannot be read; without credentials, and at most 1,000 characters. */
export async function repositoryProblem(
  project: string,
  { url, credentials }: ProjectSource,
  { kind, words }: Pick<ForgeFailure, 'kind' | 'words'>,
): Promise<string> {
  const [problem, remedy] = (problems[kind] ?? passing)(await shown(url), briefly(words), credentials !== undefined);
  return `spec.repository.url of Project ${project}: ${problem}; ${remedy}`;
}

/** The repository can be read, and its default branch is not there. */
export const branchProblem = async (project: string, { url, defaultBranch }: ProjectSource): Promise<string> =>
  `spec.repository.defaultBranch of Project ${project}: ${await shown(url)} has no branch ${JSON.stringify(defaultBranch)}; correct it, or push the branch`;
