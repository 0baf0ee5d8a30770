/**
 * Writes everything that is derived from the schemas: CRDs, JSON Schemas of the messages, the API reference. The results are committed,
 * and the checks fail when writing them again changes anything.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { customResourceDefinition } from './crd.ts';
import { eventMessage } from './history-events.ts';
import {
  claimReply,
  controlMessage,
  effectMessage,
  effectResultMessage,
  operatorInbound,
  revokeMessage,
  welcomeMessage,
  workMessage,
} from './messages.ts';
import { apiReference } from './reference.ts';
import { resourceDefinitions } from './resources.ts';

const chartFolder = 'charts/millwright/files/crds';
const root = join(import.meta.dirname, '../..');
const notice = 'Generated from the schemas in crds/src by `npm run generate`. Do not edit.';

const messages = {
  workMessage,
  welcomeMessage,
  claimReply,
  operatorInbound,
  effectMessage,
  effectResultMessage,
  eventMessage,
  controlMessage,
  revokeMessage,
};

/** File path below the repository → content. */
export function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const resource of resourceDefinitions) {
    const crd = stringify(customResourceDefinition(resource), { lineWidth: 0, aliasDuplicateObjects: false });
    // A chart is packaged from its own folder alone, so it has a copy.
    for (const folder of ['crds/generated', chartFolder])
      files.set(`${folder}/${resource.group}_${resource.plural}.yaml`, `# ${notice}\n${crd}`);
  }
  for (const [name, schema] of Object.entries(messages))
    files.set(
      `crds/generated/messages/${name}.json`,
      `${JSON.stringify({ $comment: notice, ...z.toJSONSchema(schema, { io: 'input' }) }, null, 2)}\n`,
    );
  files.set('docs/api-reference.md', apiReference(resourceDefinitions, notice));
  return files;
}

if (import.meta.main) {
  const files = generatedFiles();
  for (const folder of ['crds/generated', 'crds/generated/messages', chartFolder]) {
    mkdirSync(join(root, folder), { recursive: true });
    for (const file of readdirSync(join(root, folder)))
      if (/\.(yaml|json)$/.test(file) && !files.has(`${folder}/${file}`)) rmSync(join(root, folder, file));
  }
  for (const [path, content] of files) writeFileSync(join(root, path), content);
  console.log(`generated ${files.size} files`);
}
