import { openApiSchema } from './crd.ts';
import type { ResourceDefinition } from './resources.ts';

interface Node {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  format?: string;
  properties?: Record<string, Node>;
  required?: string[];
  items?: Node;
  additionalProperties?: Node;
  maxItems?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  'x-kubernetes-validations'?: { message?: string; messageExpression?: string }[];
}

function typeOf(node: Node): string {
  if (node.enum) return node.enum.map((value) => `\`${value}\``).join(', ');
  if (node.type === 'array') return `list of ${node.items ? typeOf(node.items) : 'values'}`;
  if (node.additionalProperties) return `map to ${typeOf(node.additionalProperties)}`;
  return node.format ?? node.type ?? 'any';
}

function bounds(node: Node): string {
  const parts: string[] = [];
  if (node.minimum !== undefined && node.maximum !== undefined) parts.push(`${node.minimum} to ${node.maximum}`);
  else if (node.minimum !== undefined && node.minimum !== 0) parts.push(`at least ${node.minimum}`);
  if (node.maxItems !== undefined) parts.push(`at most ${node.maxItems} items`);
  if (node.maxLength !== undefined) parts.push(`at most ${node.maxLength} characters`);
  if (node.default !== undefined) parts.push(`default \`${JSON.stringify(node.default)}\``);
  return parts.join('; ');
}

const cell = (value: string) => value.replaceAll('|', '\\|').replaceAll('\n', ' ');

function rows(node: Node, path: string, out: string[]): void {
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const list = child.type === 'array' ? '[]' : '';
    const here = `${path}${name}${list}`;
    const required = node.required?.includes(name) ? ' **required**' : '';
    out.push(
      `| \`${here}\` | ${cell(typeOf(child))}${required} | ${cell(child.description ?? '')} | ${cell(bounds(child))} |`,
    );
    rows(child.type === 'array' && child.items ? child.items : child, `${here}.`, out);
  }
}

function messages(node: Node, out: Set<string>): void {
  for (const rule of node['x-kubernetes-validations'] ?? []) {
    const message = rule.message ?? rule.messageExpression;
    if (message) out.add(message);
  }
  for (const child of Object.values(node.properties ?? {})) messages(child, out);
  if (node.items) messages(node.items, out);
}

function section(resource: ResourceDefinition): string {
  const spec = openApiSchema(resource.spec) as Node;
  const status = openApiSchema(resource.status) as Node;
  const table = (node: Node) => {
    const out = ['| field | type | meaning | bounds |', '|---|---|---|---|'];
    rows(node, '', out);
    return out.join('\n');
  };
  const refused = new Set(resource.rules.map((rule) => rule.message ?? ''));
  messages(spec, refused);
  return [
    `## ${resource.kind}`,
    `${resource.description} Short name \`${resource.shortNames.join('`, `')}\`.`,
    '### spec',
    table(spec),
    refused.size > 0
      ? `The API server refuses what breaks these rules:\n\n${[...refused].map((m) => `- ${m}`).join('\n')}`
      : '',
    '### status',
    table(status),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Markdown reference of all resources. */
export function apiReference(resources: readonly ResourceDefinition[], notice: string): string {
  const intro = `<!-- ${notice} -->\n\n# API reference\n\nGroup \`millwright.dev\`, version \`v1alpha1\`; all resources are namespaced and in the category \`millwright\`.`;
  return `${[intro, ...resources.map(section)].join('\n\n')}\n`;
}
