import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { CredentialsError, loadCredentials } from './credentials.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'credentials-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Writes a kubeconfig with one context and returns its path. */
function kubeconfig(cluster: object, user: object | null): string {
  const file = path.join(folder, 'config');
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [
      { name: 'here', context: { cluster: 'c', user: 'u', namespace: 'team' } },
      { name: 'there', context: { cluster: 'gone', user: 'u' } },
    ],
    clusters: [{ name: 'c', cluster: { server: 'https://api.example:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
  };
  writeFileSync(file, stringify(content));
  return file;
}

describe('a kubeconfig', () => {
  it('with everything inline', async () => {
    const file = kubeconfig(
      { 'certificate-authority-data': base64('CA'), 'tls-server-name': 'kubernetes' },
      { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') },
    );
    const credentials = await loadCredentials({ kubeconfig: file });
    expect(credentials.namespace).toBe('team');
    expect(await credentials.read()).toEqual({
      server: 'https://api.example:6443',
      tls: { ca: 'CA', cert: 'CERT', key: 'KEY', servername: 'kubernetes' },
      headers: {},
    });
  });

  it('whose files have changed is read anew, paths being relative to it', async () => {
    for (const name of ['ca.crt', 'token']) writeFileSync(path.join(folder, name), `${name} 1\n`);
    const file = kubeconfig({ 'certificate-authority': 'ca.crt' }, { tokenFile: 'token' });
    const credentials = await loadCredentials({ kubeconfig: file });
    expect(await credentials.read()).toMatchObject({
      tls: { ca: 'ca.crt 1\n' },
      headers: { authorization: 'Bearer token 1' },
    });
    writeFileSync(path.join(folder, 'token'), 'token 2');
    expect((await credentials.read()).headers).toEqual({ authorization: 'Bearer token 2' });
  });

  const users = [
    { name: 'a token', user: { token: 't' }, headers: { authorization: 'Bearer t' } },
    {
      name: 'a password',
      user: { username: 'a', password: 'b' },
      headers: { authorization: `Basic ${base64('a:b')}` },
    },
    {
      name: 'impersonation',
      user: { token: 't', as: 'jane' },
      headers: { authorization: 'Bearer t', 'impersonate-user': 'jane' },
    },
    { name: 'nobody', user: null, headers: {} },
  ];
  it.each(users)('with $name', async ({ user, headers }) => {
    const credentials = await loadCredentials({ kubeconfig: kubeconfig({ 'insecure-skip-tls-verify': true }, user) });
    expect(await credentials.read()).toMatchObject({ tls: { rejectUnauthorized: false }, headers });
  });

  it('with a credential plug-in runs it', async () => {
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'from-plugin' },
    };
    const user = {
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: process.execPath,
        args: ['-e', `console.log(${JSON.stringify(JSON.stringify(credential))})`],
      },
    };
    const credentials = await loadCredentials({ kubeconfig: kubeconfig({}, user) });
    expect((await credentials.read()).headers).toEqual({ authorization: 'Bearer from-plugin' });
    // Loading client-node takes a second, and several on a busy machine.
  }, 30_000);

  const mistakes = [
    { name: 'is not there', prepare: () => path.join(folder, 'absent'), message: 'cannot read' },
    {
      name: 'is something else',
      prepare: () => {
        writeFileSync(path.join(folder, 'other'), 'hello: world');
        return path.join(folder, 'other');
      },
      message: 'is no kubeconfig',
    },
    {
      name: 'lacks the context',
      prepare: () => kubeconfig({}, {}),
      context: 'elsewhere',
      message: 'no context named elsewhere',
    },
    {
      name: 'lacks the cluster of the context',
      prepare: () => kubeconfig({}, {}),
      context: 'there',
      message: 'no cluster named gone',
    },
  ];
  it.each(mistakes)('that $name is refused with what is wrong', async ({ prepare, context, message }) => {
    const loading = loadCredentials({ kubeconfig: prepare(), context });
    await expect(loading).rejects.toBeInstanceOf(CredentialsError);
    await expect(loading).rejects.toThrow(message);
  });

  it('with a proxy is refused rather than ignored', async () => {
    const credentials = await loadCredentials({ kubeconfig: kubeconfig({ 'proxy-url': 'http://proxy:3128' }, {}) });
    await expect(credentials.read()).rejects.toThrow('proxy-url');
  });
});

it('without a kubeconfig and outside of a pod there are none, and the message says what to set', async () => {
  await expect(loadCredentials({ environment: {} })).rejects.toThrow('KUBECONFIG');
});
