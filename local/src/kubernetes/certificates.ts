import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { readIfPresent, writeAtomically } from '../files.ts';
import { run } from '../process/run.ts';
import type { Context } from '../service.ts';

/** Paths of a certificate and its private key, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

interface Subject {
  readonly commonName: string;
  /** Kubernetes reads it as the user's group. */
  readonly organization?: string;
  readonly names?: readonly string[];
  readonly addresses?: readonly string[];
}

const days = '3650';
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** The authority that signs every certificate of the local cluster. */
export function clusterAuthority(ctx: Context): Promise<KeyPair> {
  return authority(ctx, 'ca', 'millwright-local');
}

/** The authority for requests that the API server passes on to aggregated API servers. */
export function frontProxyAuthority(ctx: Context): Promise<KeyPair> {
  return authority(ctx, 'front-proxy-ca', 'millwright-local-front-proxy');
}

/** The key pair that signs service-account tokens. */
export async function serviceAccountKeys(
  ctx: Context,
): Promise<{ readonly publicKey: string; readonly privateKey: string }> {
  const privateKey = join(folder(ctx), 'service-account.key');
  const publicKey = join(folder(ctx), 'service-account.pub');
  if (!existsSync(publicKey)) {
    await run('openssl', ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', privateKey]);
    await run('openssl', ['pkey', '-in', privateKey, '-pubout', '-out', `${publicKey}.new`]);
    renameSync(`${publicKey}.new`, publicKey);
  }
  return { publicKey, privateKey };
}

/**
 * A certificate for client and server use, signed by `issuer`; issued again when the subject or the authority has changed.
 *
 * @param name file name without ending
 */
export async function certificate(ctx: Context, name: string, subject: Subject, issuer: KeyPair): Promise<KeyPair> {
  const pair = paths(ctx, name);
  const request = join(folder(ctx), `${name}.request`);
  const wanted = JSON.stringify({ subject, issuer: readIfPresent(issuer.cert) });
  if (readIfPresent(request) === wanted && existsSync(pair.cert)) return pair;
  const alternatives = [
    ...(subject.names ?? []).map((value) => `DNS:${value}`),
    ...(subject.addresses ?? []).map((value) => `IP:${value}`),
  ];
  const extensions = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature,keyEncipherment',
    'extendedKeyUsage=serverAuth,clientAuth',
    ...(alternatives.length ? [`subjectAltName=${alternatives.join(',')}`] : []),
  ];
  await selfSigned(pair, distinguishedName(subject), [
    ...['-CA', issuer.cert, '-CAkey', issuer.key],
    ...extensions.flatMap((extension) => ['-addext', extension]),
  ]);
  writeAtomically(request, wanted);
  return pair;
}

async function authority(ctx: Context, name: string, commonName: string): Promise<KeyPair> {
  const pair = paths(ctx, name);
  if (existsSync(pair.cert)) return pair;
  await selfSigned(pair, distinguishedName({ commonName }), ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']);
  return pair;
}

/** The certificate appears last, so that its presence says that the pair is complete. */
async function selfSigned(pair: KeyPair, subject: string, options: readonly string[]): Promise<void> {
  const fresh = `${pair.cert}.new`;
  await run('openssl', [
    'req',
    '-x509',
    ...newKey,
    '-days',
    days,
    '-subj',
    subject,
    '-keyout',
    pair.key,
    '-out',
    fresh,
    ...options,
  ]);
  renameSync(fresh, pair.cert);
}

function distinguishedName(subject: Subject): string {
  return `${subject.organization ? `/O=${subject.organization}` : ''}/CN=${subject.commonName}`;
}

function folder(ctx: Context): string {
  const path = join(ctx.stateDir, 'pki');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

function paths(ctx: Context, name: string): KeyPair {
  return { cert: join(folder(ctx), `${name}.crt`), key: join(folder(ctx), `${name}.key`) };
}
