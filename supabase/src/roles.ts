import type { SupabaseClient } from '@supabase/supabase-js';
import { check } from './errors.ts';
import type { MemberRole } from './rows.ts';

/** What a person is in the organisation that a namespace belongs to. */
export interface NamespaceRole {
  readonly organisationId: string;
  readonly role: MemberRole;
}

/**
 * The role of a person in a namespace's organisation; undefined when there is none that they may see.
 *
 * @param client with the person's own token: row-level security answers
 * @throws StoreError
 */
export async function roleInNamespace(
  client: SupabaseClient,
  userId: string,
  namespace: string,
): Promise<NamespaceRole | undefined> {
  const found = await client.from('namespaces').select('organisation_id').eq('name', namespace).maybeSingle();
  check(found, 'organisation of a namespace');
  const organisationId = (found.data as { organisation_id: string } | null)?.organisation_id;
  if (organisationId === undefined) return undefined;
  const member = await client
    .from('members')
    .select('role')
    .eq('organisation_id', organisationId)
    .eq('user_id', userId)
    .maybeSingle();
  check(member, 'membership');
  const role = (member.data as { role: MemberRole } | null)?.role;
  return role === undefined ? undefined : { organisationId, role };
}
