/**
 * Writes everything that is derived from the schemas: CRDs, JSON Schemas of the messages, the API reference. The results are committed,
 * and the checks fail when writing them again changes anything.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { customResourceDefinition } from './crd.ts';
import {
  claimReply,
  controlMessage,
  effectMessage,
  eventMessage,
  operatorInbound,
  welcomeMessage,
  workMessage,
} from './messages.ts';
import { apiReference } from './reference.ts';
import { resourceDefinitions } from './resources.ts';

const root = join(import.meta.dirname, '../..');
const notice = 'Generated from the schemas in crds/src by `npm run generate`. Do not edit.';

const messages = {
  workMessage,
  welcomeMessage,
  claimReply,
  operatorInbound,
  effectMessage,
  controlMessage,
  eventMessage,
};

/** File path below the repository → content. */
export function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const resource of resourceDefinitions)
    files.set(
      `crds/generated/${resource.group}_${resource.plural}.yaml`,
      `# ${notice}\n${stringify(customResourceDefinition(resource), { lineWidth: 0, aliasDuplicateObjects: false })}`,
    );
  for (const [name, schema] of Object.entries(messages))
    files.set(
      `crds/generated/messages/${name}.json`,
      `${JSON.stringify({ $comment: notice, ...z.toJSONSchema(schema, { io: 'input' }) }, null, 2)}\n`,
    );
  files.set('docs/api-reference.md', apiReference(resourceDefinitions, notice));
  return files;
}

if (import.meta.main) {
  const folder = join(root, 'crds/generated');
  mkdirSync(join(folder, 'messages'), { recursive: true });
  const files = generatedFiles();
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (/\.(yaml|json)$/.test(file) && !files.has(`crds/generated/${file}`)) rmSync(join(folder, file));
  for (const [path, content] of files) writeFileSync(join(root, path), content);
  console.log(`generated ${files.size} files`);
}
