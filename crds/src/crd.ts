import { z } from 'zod';
import type { ResourceDefinition } from './resources.ts';

type Json = Record<string, unknown>;

/** Keys that JSON Schema has and a structural schema may not. */
const foreign = new Set(['$schema', 'additionalProperties', 'propertyNames', 'id', '$id']);

/**
 * Turns what zod emits into the structural form that CustomResourceDefinitions demand: no `additionalProperties: false`, no
 * `propertyNames` (the names of maps are checked by the operator), no exclusive bounds beside a type.
 */
function structural(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(structural);
  if (typeof node !== 'object' || node === null) return node;
  const out: Json = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === 'additionalProperties' && typeof value === 'object') out[key] = structural(value);
    else if (foreign.has(key)) continue;
    else if (key === 'maximum' && value === Number.MAX_SAFE_INTEGER) continue;
    else if (key === 'properties')
      out[key] = Object.fromEntries(Object.entries(value as Json).map(([name, child]) => [name, structural(child)]));
    else out[key] = key === 'default' ? value : structural(value);
  }
  if (out.type === 'object' && out.properties === undefined && out.additionalProperties === undefined)
    out['x-kubernetes-preserve-unknown-fields'] = true;
  // A time carries only its format: the API server checks it, and a length bound makes it a plain string for CEL.
  if (out.format === 'date-time') delete out.maxLength;
  // Maps need a bound too, or CEL's cost estimate of any rule above them is unlimited.
  if (out.type === 'object' && out.additionalProperties !== undefined) out.maxProperties ??= 64;
  return out;
}

/** OpenAPI v3 schema of one zod schema, as a CRD embeds it. */
export function openApiSchema(schema: z.ZodType): Json {
  return structural(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'throw' })) as Json;
}

/** The CustomResourceDefinition of a resource, ready to be written as YAML. */
export function customResourceDefinition(resource: ResourceDefinition): Json {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${resource.plural}.${resource.group}`,
      labels: { 'app.kubernetes.io/name': 'millwright', 'app.kubernetes.io/component': 'api' },
    },
    spec: {
      group: resource.group,
      scope: 'Namespaced',
      names: {
        kind: resource.kind,
        listKind: `${resource.kind}List`,
        plural: resource.plural,
        singular: resource.singular,
        shortNames: resource.shortNames,
        categories: ['millwright'],
      },
      versions: [
        {
          name: resource.version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: resource.columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: resource.description,
              required: ['spec'],
              ...(resource.rules.length > 0 ? { 'x-kubernetes-validations': resource.rules } : {}),
              properties: {
                apiVersion: { type: 'string', description: `Always ${resource.apiVersion}.` },
                kind: { type: 'string', description: `Always ${resource.kind}.` },
                metadata: { type: 'object' },
                spec: { description: 'What is wanted.', ...openApiSchema(resource.spec) },
                status: {
                  description: 'What is so; written by the operator only.',
                  ...openApiSchema(resource.status),
                  // One owner has it whole: that spares the API server a record of who set each field, as large as the status itself.
                  'x-kubernetes-map-type': 'atomic',
                },
              },
            },
          },
        },
      ],
    },
  };
}
