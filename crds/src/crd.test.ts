import { expect, test } from 'vitest';
import { openApiSchema } from './crd.ts';
import { type ResourceDefinition, resourceDefinitions } from './resources.ts';

interface Node {
  description?: string;
  properties?: Record<string, Node>;
  items?: Node;
}

const undescribed = (node: Node, path: string): string[] => [
  ...Object.entries(node.properties ?? {}).flatMap(([name, child]) => [
    ...(child.description ? [] : [`${path}.${name}`]),
    ...undescribed(child, `${path}.${name}`),
  ]),
  ...(node.items ? undescribed(node.items, `${path}[]`) : []),
];

test.each(resourceDefinitions.map((resource): [string, ResourceDefinition] => [resource.kind, resource]))(
  'kubectl explain has words for every field of %s',
  (_, { spec, status }) => {
    expect([...undescribed(openApiSchema(spec), 'spec'), ...undescribed(openApiSchema(status), 'status')]).toEqual([]);
  },
);
