import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** Arguments of Node, and the environment of it and of its allocator, with which an image of the product starts its process. */
export interface Shipped {
  args: string[];
  env: Record<string, string>;
}

/**
 * Reads them from the operator's Containerfile, so that what is measured is what is shipped; files are those of the bundle here. The heap has
 * the limit that Node gives itself below the chart's memory limit, which this process does not have.
 */
export function shippedOperator(repository: string): Shipped {
  const folder = join(repository, 'operator');
  const { args, env } = parseContainerfile(readFileSync(join(folder, 'Containerfile'), 'utf8'), join(folder, 'dist'));
  const values = parse(readFileSync(join(repository, 'charts/millwright/values.yaml'), 'utf8'));
  return { args: [`--max-old-space-size=${heapLimitMiB(values.operator.resources.limits.memory)}`, ...args], env };
}

/** Half of the container's memory, in MiB. @param memory such as `512Mi` */
export function heapLimitMiB(memory: string): number {
  const [, amount, unit] = /^(\d+)(Mi|Gi)$/.exec(memory) ?? [];
  if (amount === undefined)
    throw new Error(`operator.resources.limits.memory of the chart is ${memory}, not such as 512Mi`);
  return (Number(amount) * (unit === 'Gi' ? 1024 : 1)) / 2;
}

/** @param dist folder that the image has at `/app` */
export function parseContainerfile(text: string, dist: string): Shipped {
  const lines = text.replaceAll(/\\\n\s*/g, ' ').split('\n');
  const command = lines.findLast((line) => line.startsWith('CMD '));
  const [program, ...args] = command ? (JSON.parse(command.slice(4)) as string[]) : [];
  if (program !== 'node') throw new Error('the Containerfile does not start node: bench/src/shipped.ts reads its CMD');
  const env: Record<string, string> = {};
  for (const line of lines.filter((candidate) => candidate.startsWith('ENV ')))
    for (const [, name = '', quoted, plain] of line.matchAll(/((?:NODE|MALLOC)_\w+)=(?:"([^"]*)"|(\S+))/g))
      env[name] = quoted ?? plain ?? '';
  return { args: args.map((arg) => arg.replace(/^\/app\//, `${dist}/`)), env };
}
