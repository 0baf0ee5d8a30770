/** What the commits of agents may do to a repository. The fence of git host and publisher judges by it. */
import { z } from 'zod';
import { fields, integer, text } from './values.ts';

const verdicts = ['allow', 'report', 'deny'] as const;
const verdict = z.enum(verdicts);

/** Kinds of files beside source code, with what they are. */
const classes = {
  ci: 'Pipelines, and bots that act on the forge. Default: deny.',
  ownership: 'Who has to approve what, such as CODEOWNERS. Default: deny.',
  hooks: 'What runs by itself on the machine of a person: git hooks, tasks of editors. Default: deny.',
  'agent-instructions': 'What agents are told and which tools they get. Default: deny.',
  submodule: 'Submodules, and .gitmodules. Default: deny.',
  'git-settings': 'What changes how git reads the repository. Default: report.',
  lockfile: 'Which versions of dependencies are taken. Default: report.',
  manifest: 'Which dependencies are asked for. Default: report.',
  migration: 'Changes of a database. Default: report.',
  test: 'Tests, what they are given and how they are run. Default: report.',
  build: 'How it is built, packed and rolled out. Default: report.',
  link: 'Symlinks that are new or lead elsewhere. Default: report.',
  executable: 'Files that become executable. Default: report.',
} as const;

/** A kind of files. */
export type PathKind = keyof typeof classes;

const globs = z.array(text(256).min(1)).max(64);

const pathPolicy = fields({
  allow: globs.optional().meta({
    description:
      'Globs of the paths that may change, each for a whole path, such as src/** or **/*.md; the last that matches decides, and one with ! before it takes back. Default: all.',
  }),
  deny: globs.optional().meta({ description: 'Globs of the paths that may not change, whatever is allowed.' }),
  classes: fields(
    Object.fromEntries(
      Object.entries(classes).map(([name, description]) => [name, verdict.optional().meta({ description })]),
    ) as Record<PathKind, z.ZodOptional<typeof verdict>>,
  )
    .optional()
    .meta({ description: 'What is done about kinds of files: allow, report (the default of most) or deny.' }),
  tolerated: z
    .array(
      z.enum(['bidirectional', 'invalid-utf8', 'device', 'stream', 'long-component', 'duplicate', 'bare-repository']),
    )
    .max(7)
    .optional()
    .meta({
      description: 'What harms on some systems only, or only who enters a folder, and is no matter here.',
    }),
}).meta({ description: 'Which paths may change.' });

export const policy = fields({
  paths: pathPolicy.optional(),
  secrets: verdict.optional().meta({
    description:
      'What is done about secrets that commits add. What only may be one, or is in a file for tests or documents, is never denied. Default: deny.',
  }),
  tests: verdict.optional().meta({
    description:
      'What is done about tests that are deleted, skipped or weakened; what may well be proper is never denied. Default: report.',
  }),
}).meta({
  description: 'What the commits of agents may change. Judged when they are pushed, and before they are published.',
});
export type Policy = z.infer<typeof policy>;

/** Something in a commit that a person should look at; what the policy refuses is in the message of the task instead. */
export const finding = z.object({
  kind: text(32).meta({ description: 'What it is about: path, secret or test.' }),
  path: text(256).meta({ description: 'The file; empty where no one file is meant.' }),
  line: integer(1, 2_147_483_647).optional().meta({ description: 'The line, from 1 on.' }),
  message: text(320).meta({ description: 'What is the matter.' }),
});
export type Finding = z.infer<typeof finding>;
export const findings = z.array(finding).max(10);
