import { z } from 'zod';
import { policy } from './policy.ts';
import {
  conditions,
  environment,
  fields,
  image,
  integer,
  localRef,
  observedGeneration,
  resources,
  rules,
  shellLine,
  text,
} from './values.ts';

export const workspace = fields({
  image: image
    .optional()
    .meta({ description: 'Toolchain image that commands run in; needs sh and git. Default: the image of the pool.' }),
  setup: z
    .array(shellLine)
    .max(32)
    .optional()
    .meta({ description: 'Shell commands run after the checkout, before any task or acceptance command.' }),
  env: environment.optional(),
  resources: resources.optional(),
}).meta({ description: 'Where the commands of tasks run.' });
export type Workspace = z.infer<typeof workspace>;

const loginKeys =
  'with keys url (they are used for this URL and what is below it only), and username and password, or token';

const repository = z
  .object({
    url: z
      .string()
      .min(1)
      .max(2048)
      .meta({
        description: 'Clone URL: https, http or git.',
        ...rules({
          rule: "self.matches('^(https?|git)://[^\\\\s]+$')",
          message:
            'must be an https://, http:// or git:// URL, for example https://github.com/owner/name.git; ssh is not supported: use the https:// URL with a token in credentialsSecretRef',
        }),
      }),
    defaultBranch: text(255).min(1).default('main').meta({ description: 'Branch that work starts from.' }),
    credentialsSecretRef: localRef(`Secret ${loginKeys}`).optional().meta({
      description: 'Credentials to read the repository. Only the git host uses them.',
    }),
    pushSecretRef: localRef(`Secret ${loginKeys}`).optional().meta({
      description: 'Credentials to push branches. Only the publisher uses them.',
    }),
  })
  .meta({ description: 'The repository that agents work on.' });

export const projectSpec = z.object({
  repository,
  workspace: workspace.optional(),
  limits: z
    .object({
      maxParallelTasks: integer(1, 10_000)
        .optional()
        .meta({ description: 'Tasks of this project at work at the same time.' }),
    })
    .optional()
    .meta({ description: 'Bounds for all Workflows of the project together.' }),
  policy: policy.optional(),
  enabled: z.boolean().default(true).meta({ description: 'false: tasks of this project wait.' }),
});
export type ProjectSpec = z.infer<typeof projectSpec>;

export const projectStatus = z.object({
  observedGeneration: observedGeneration.optional(),
  activeWorkflows: integer(0, 1_000_000).optional().meta({ description: 'Workflows that have not ended.' }),
  message: text(1024)
    .optional()
    .meta({ description: 'What is the matter, and what to change; empty when all is well.' }),
  conditions: conditions.optional(),
});
export type ProjectStatus = z.infer<typeof projectStatus>;
