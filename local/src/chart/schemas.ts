import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../process/run.ts';

interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: unknown;
  items?: Schema;
  format?: string;
  type?: unknown;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
}

/**
 * Writes the schemas that the API server publishes, custom resources included, as files for kubeconform, named as its
 * `{{.ResourceKind}}{{.KindSuffix}}` asks for them: `<kind>-<first part of the group>-<version>.json`. Unknown fields are errors.
 */
export async function writeSchemas(kubeconfig: string, folder: string): Promise<void> {
  const text = await run('kubectl', ['--kubeconfig', kubeconfig, 'get', '--raw', '/openapi/v2']);
  const { definitions } = JSON.parse(text) as { definitions: Record<string, Schema> };
  for (const schema of Object.values(definitions)) makeStrict(schema);
  mkdirSync(folder, { recursive: true });
  for (const schema of Object.values(definitions)) {
    for (const { group, version, kind } of schema['x-kubernetes-group-version-kind'] ?? []) {
      const [shortGroup = ''] = group.split('.');
      const name = [kind, shortGroup, version]
        .filter((part) => part !== '')
        .join('-')
        .toLowerCase();
      writeFileSync(
        join(folder, `${name}.json`),
        JSON.stringify({ ...schema, definitions: reachable(schema, definitions) }),
      );
    }
  }
}

function makeStrict(schema: Schema): void {
  if (schema['x-kubernetes-int-or-string'] || schema.format === 'int-or-string') schema.type = ['string', 'integer'];
  if (schema.properties && !schema.additionalProperties && !schema['x-kubernetes-preserve-unknown-fields']) {
    schema.additionalProperties = false;
  }
  for (const property of Object.values(schema.properties ?? {})) makeStrict(property);
  if (schema.items) makeStrict(schema.items);
}

/** Only what a schema refers to: all definitions in each file would be gigabytes. */
function reachable(schema: Schema, definitions: Readonly<Record<string, Schema>>): Record<string, Schema> {
  const found: Record<string, Schema> = {};
  const visit = (text: string) => {
    for (const [, name = ''] of text.matchAll(/"#\/definitions\/([^"]+)"/g)) {
      const definition = definitions[name];
      if (!definition || name in found) continue;
      found[name] = definition;
      visit(JSON.stringify(definition));
    }
  };
  visit(JSON.stringify(schema));
  return found;
}
