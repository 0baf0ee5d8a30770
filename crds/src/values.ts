import { z } from 'zod';

/** Group and version of every resource. */
export const GROUP = 'millwright.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Edits that make one word of another, a letter of the wrong case not counted. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...from.toLowerCase()].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to.toLowerCase()].entries())
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** An object that takes no other fields: a field that is misspelt must not be left out without a word. The message names the nearest known. */
export function fields<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  const unknown = (name: string) => {
    const nearest = known.toSorted((a, b) => distance(name, a) - distance(name, b))[0] ?? '';
    const isNear = distance(name, nearest) <= Math.max(2, name.length / 3);
    return `unknown field "${name}"${isNear ? `: did you mean "${nearest}"?` : `; known are ${known.join(', ')}`}`;
  };
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? (issue.keys as string[]).map(unknown).join(', ') : undefined,
  });
}

/** Every list and string below is bounded, so that CEL costs and object sizes stay within what the API server accepts. */
export const text = (max: number) => z.string().max(max);

/** A DNS label: names of tasks, pools and whatever becomes part of a label, a branch or a queue name. */
export const dnsLabel = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);

/** A word such as `node` or `code-review`; a task requires a set of them, a pool offers a set. */
export const capability = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/)
  .meta({ description: 'A word such as node or code-review: lower case letters, digits, dots and dashes.' });

export const capabilities = z.array(capability).max(32).meta({ 'x-kubernetes-list-type': 'set' });

/** A container image reference; whether it can be pulled only the kubelet knows. */
export const image = z.string().min(1).max(512).regex(/^\S+$/).meta({ description: 'Container image reference.' });

/** One shell command line, run by `sh -c` in the workspace. */
export const shellLine = z.string().min(1).max(4096);

/** The API server's own pattern for a resource quantity, as a string. */
const quantity = z
  .string()
  .min(1)
  .max(32)
  .regex(/^([0-9]+(\.[0-9]+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/);

export const resources = fields({
  requests: z.record(z.string().max(63), quantity).optional().meta({ description: 'What is reserved.' }),
  limits: z.record(z.string().max(63), quantity).optional().meta({ description: 'What is never exceeded.' }),
}).meta({ description: 'Requests and limits as for any container, for example cpu, memory, ephemeral-storage.' });

/** RFC 3339 time; zod's own pattern is huge and knows only Z, hence the override. */
export const time = z.string().max(64).meta({ format: 'date-time' });

export const commitHash = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);

/** `sha256:` and 64 hex digits. */
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

export const uid = z.string().min(1).max(64);

/** An integer with bounds, named once because `z.int()` alone emits the limits of a double. */
export const integer = (min: number, max: number) => z.int().min(min).max(max);

/** How long what has ended stays in the cluster, in seconds: a week unless told. */
export const DEFAULT_TTL_SECONDS = 604_800;
export const timeToLive = integer(0, 31_536_000);

export const envVar = fields({
  name: z
    .string()
    .max(128)
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
    .meta({ description: 'Name of the variable.' }),
  value: z.string().max(4096).meta({ description: 'Its value, as it is: nothing is expanded.' }),
});

export const environment = z
  .array(envVar)
  .max(64)
  .meta({
    description: 'Environment variables of every command in the workspace. Not for secrets.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  });

/** Of a status, or of one of its conditions. */
export const observedGeneration = integer(0, Number.MAX_SAFE_INTEGER).meta({
  description: 'The metadata.generation of the spec that this was made from; a lower one is out of date.',
});

export const traceID = text(32).meta({
  description: 'Trace of the run, in hexadecimal: look for it in your tracing backend.',
});

export const condition = z.object({
  type: z.string().max(64).meta({ description: 'The aspect, for example Accepted or Ready.' }),
  status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'Whether it is so.' }),
  reason: z.string().max(64).meta({ description: 'One word for why.' }),
  message: z.string().max(1024).meta({ description: 'A sentence for people: why, and what to change. May be empty.' }),
  observedGeneration,
  lastTransitionTime: time.meta({ description: 'When its status changed last.' }),
});
export type Condition = z.infer<typeof condition>;

export const conditions = z
  .array(condition)
  .max(16)
  .meta({
    description: 'What is known about the object, one entry per aspect.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  });

/** A reference to an object of the same namespace. */
export const localRef = (what: string) =>
  fields({
    name: z
      .string()
      .min(1)
      .max(253)
      .meta({ description: `Name of the ${what}, in the same namespace.` }),
  }).meta({ description: `The ${what}.` });

/** A structural validation rule of the API server. */
export interface CelRule {
  rule: string;
  message?: string;
  messageExpression?: string;
  fieldPath?: string;
  reason?: string;
}

/** Attaches CEL rules to a schema. */
export const rules = (...list: CelRule[]) => ({ 'x-kubernetes-validations': list });
