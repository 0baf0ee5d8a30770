import type { SupabaseClient } from '@supabase/supabase-js';
import { check } from './errors.ts';

/** Who did what. Changes of memberships, namespaces and keys are written by the database itself. */
export interface AuditEntry {
  readonly organisationId: string | null;
  /** `user:<id>`, `key:<id>`, `system:<process>`. */
  readonly actor: string;
  /** Such as `workflow.create`. */
  readonly action: string;
  /** What it was done to, such as `Workflow team-a/fix-login`. */
  readonly subject: string;
  readonly details?: Record<string, unknown>;
  /** Where from: the client's address. */
  readonly address?: string;
  /** 32 hex digits. */
  readonly traceId?: string;
}

/** Appends to the audit trail, which nobody can change. Throws StoreError. */
export async function appendAudit(client: SupabaseClient, entry: AuditEntry): Promise<void> {
  const answer = await client.from('audit').insert({
    organisation_id: entry.organisationId,
    actor: entry.actor,
    action: entry.action,
    subject: entry.subject,
    details: entry.details ?? {},
    address: entry.address ?? null,
    trace_id: entry.traceId ?? null,
  });
  check(answer, 'audit');
}
