import { z } from 'zod';
import {
  capabilities,
  conditions,
  dnsLabel,
  image,
  integer,
  observedGeneration,
  resources,
  rules,
  text,
} from './values.ts';

export const agentPoolSpec = z
  .object({
    capabilities: capabilities
      .min(1)
      .meta({ description: 'What agents of this pool can do. A task is a match when all it requires is listed here.' }),
    roles: z.array(dnsLabel).max(32).optional().meta({ description: 'Roles that agents of this pool play.' }),
    engine: z.enum(['runner', 'llm']).default('runner').meta({
      description: 'What drives the agent: runner executes commands. llm, a tool loop on a model, does not exist yet.',
    }),
    image: image.optional().meta({
      description: 'Workspace image for tasks whose project and spec name none.',
    }),
    external: z
      .boolean()
      .default(false)
      .meta({ description: 'true: agents run outside the cluster, and Millwright starts no sandboxes for this pool.' }),
    sandbox: z
      .object({
        runtimeClassName: text(253).optional().meta({ description: 'For example gvisor or kata.' }),
        resources: resources.optional(),
        deadlineSeconds: integer(60, 604_800)
          .default(86_400)
          .meta({ description: 'Seconds after which a sandbox is ended, whatever it does.' }),
        egress: z
          .array(
            z.object({
              cidr: z.string().min(1).max(64).meta({ description: 'Block of addresses, for example 10.0.0.0/8.' }),
              ports: z
                .array(integer(1, 65_535))
                .max(32)
                .optional()
                .meta({ description: 'TCP ports there; all when absent.' }),
            }),
          )
          .max(64)
          .optional()
          .meta({ description: 'Addresses that commands may reach besides broker, gateway and DNS.' }),
      })
      .optional()
      .meta({ description: 'Settings of the pods that agents run in.' }),
    scale: z
      .object({
        warm: integer(0, 1000).default(0).meta({ description: 'Idle sandboxes kept ready.' }),
        max: integer(1, 10_000).default(10).meta({ description: 'Sandboxes at the same time.' }),
      })
      .default({ warm: 0, max: 10 })
      .meta({
        description: 'How many sandboxes there are.',
        ...rules({
          rule: 'self.warm <= self.max',
          message: 'warm must not exceed max: raise max or lower warm',
        }),
      }),
    enabled: z.boolean().default(true).meta({ description: 'false: no new tasks and no new sandboxes.' }),
  })
  .meta(
    rules(
      {
        rule: '!self.external || self.scale.warm == 0',
        message: 'an external pool starts no sandboxes: set scale.warm to 0',
      },
      {
        rule: "self.engine != 'llm'",
        message: 'engine llm does not exist yet: set engine to runner, and give tasks a command in place of a prompt',
      },
    ),
  );
export type AgentPoolSpec = z.infer<typeof agentPoolSpec>;

export const agentPoolStatus = z.object({
  observedGeneration: observedGeneration.optional(),
  idle: integer(0, 100_000).optional().meta({ description: 'Sandboxes ready for a task.' }),
  busy: integer(0, 100_000).optional().meta({ description: 'Sandboxes (or external agents) at work.' }),
  starting: integer(0, 100_000).optional().meta({ description: 'Sandboxes being started.' }),
  waiting: integer(0, 1_000_000).optional().meta({ description: 'Tasks that wait for an agent of this pool.' }),
  sequence: integer(0, Number.MAX_SAFE_INTEGER).optional().meta({ description: 'Number of the last sandbox started.' }),
  queues: z.array(text(255)).max(64).optional().meta({ description: 'Work queues that agents of this pool consume.' }),
  message: text(1024)
    .optional()
    .meta({ description: 'What is the matter, and what to change; empty when all is well.' }),
  conditions: conditions.optional(),
});
export type AgentPoolStatus = z.infer<typeof agentPoolStatus>;
