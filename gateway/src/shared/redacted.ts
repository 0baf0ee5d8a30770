import { loadCore } from '@millwright/native-wasm';

/** A text without secrets: logins in URLs, and whatever else has the form of one, are `***`. */
export async function redacted(text: string): Promise<string> {
  const core = await loadCore();
  using redactor = core.createRedactor([]);
  return Buffer.concat([redactor.push(text), redactor.end()]).toString('utf8');
}
