// Makes the Secret that a Supabase project would give: keys are signed tokens, which a chart's template language cannot make.
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

const account = '/var/run/secrets/kubernetes.io/serviceaccount';
const [ca, token] = ['ca.crt', 'token'].map((file) => readFileSync(`${account}/${file}`, 'utf8'));
const { NAMESPACE, SECRET, SUPABASE_URL, KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT } = process.env;

const jwtSecret = randomBytes(32).toString('base64url');
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function key(role) {
  const content = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ iss: 'millwright-quickstart', role })}`;
  return `${content}.${createHmac('sha256', jwtSecret).update(content).digest('base64url')}`;
}
const body = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: SECRET, labels: { 'app.kubernetes.io/name': 'millwright', 'app.kubernetes.io/component': 'supabase' } },
  stringData: { url: SUPABASE_URL, jwtSecret, serviceKey: key('service_role') },
});
const options = {
  host: KUBERNETES_SERVICE_HOST,
  port: KUBERNETES_SERVICE_PORT,
  path: `/api/v1/namespaces/${NAMESPACE}/secrets`,
  method: 'POST',
  ca,
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
};
request(options, (response) => {
  // Made by an earlier installation: its keys stay valid.
  if (response.statusCode === 201 || response.statusCode === 409) return response.resume();
  process.exitCode = 1;
  response.pipe(process.stderr);
}).end(body);
