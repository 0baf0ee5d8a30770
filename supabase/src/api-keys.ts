import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SupabaseClient } from '@supabase/supabase-js';
import { check } from './errors.ts';
import type { MemberRole } from './rows.ts';

/** What a valid key stands for. */
export interface KeyIdentity {
  readonly id: string;
  readonly organisationId: string;
  readonly role: MemberRole;
  /** Namespaces of the organisation. */
  readonly namespaces: readonly string[];
}

const keyPattern = /^mwk_([A-Za-z0-9_-]{12})_([A-Za-z0-9_-]{43})$/;

/**
 * Makes a key. Its text is returned here and nowhere else again: what is stored is a hash (the key has 256 random bits, so that a
 * fast hash is enough) and a prefix to find it by.
 *
 * @param client with the `service_role` key
 */
export async function createApiKey(
  client: SupabaseClient,
  options: {
    readonly organisationId: string;
    readonly name: string;
    readonly role: MemberRole;
    /** Id of the person. */
    readonly createdBy?: string;
    readonly expiresAt?: Date;
  },
): Promise<{ id: string; key: string }> {
  const prefix = randomBytes(9).toString('base64url');
  const key = `mwk_${prefix}_${randomBytes(32).toString('base64url')}`;
  const answer = await client
    .from('api_keys')
    .insert({
      organisation_id: options.organisationId,
      name: options.name,
      role: options.role,
      prefix,
      hash: hashOf(key),
      created_by: options.createdBy ?? null,
      expires_at: options.expiresAt?.toISOString() ?? null,
    })
    .select('id')
    .single();
  check(answer, 'creation of an API key');
  return { id: (answer.data as { id: string }).id, key };
}

/**
 * Whom a key belongs to; undefined when it is unknown, revoked or expired. Notes the use, at most once a minute.
 *
 * @param client with the `service_role` key
 * @throws StoreError: a database that is away is no proof of anything
 */
export async function identifyApiKey(
  client: SupabaseClient,
  key: string,
  now: Date = new Date(),
): Promise<KeyIdentity | undefined> {
  const prefix = keyPattern.exec(key)?.[1];
  if (prefix === undefined) return undefined;
  const found = await client
    .from('api_keys')
    .select('id,organisation_id,role,hash,expires_at,revoked_at,last_used_at')
    .eq('prefix', prefix)
    .maybeSingle();
  check(found, 'look-up of an API key');
  const row = found.data as KeyRow | null;
  if (!row || !timingSafeEqual(Buffer.from(row.hash), Buffer.from(hashOf(key)))) return undefined;
  if (row.revoked_at !== null || (row.expires_at !== null && Date.parse(row.expires_at) <= now.getTime()))
    return undefined;
  const namespaces = await client.from('namespaces').select('name').eq('organisation_id', row.organisation_id);
  check(namespaces, 'namespaces of an organisation');
  if (row.last_used_at === null || now.getTime() - Date.parse(row.last_used_at) > 60_000) {
    check(
      await client.from('api_keys').update({ last_used_at: now.toISOString() }).eq('id', row.id),
      'use of an API key',
    );
  }
  return {
    id: row.id,
    organisationId: row.organisation_id,
    role: row.role,
    namespaces: (namespaces.data ?? []).map(({ name }) => String(name)),
  };
}

/** Ends a key for good. Returns false when there is none, or it has been revoked already. */
export async function revokeApiKey(client: SupabaseClient, id: string, now: Date = new Date()): Promise<boolean> {
  const answer = await client
    .from('api_keys')
    .update({ revoked_at: now.toISOString() })
    .eq('id', id)
    .is('revoked_at', null)
    .select('id');
  check(answer, 'revocation of an API key');
  return (answer.data ?? []).length > 0;
}

interface KeyRow {
  id: string;
  organisation_id: string;
  role: MemberRole;
  hash: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
