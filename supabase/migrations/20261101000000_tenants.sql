-- Who may see what: organisations, their members, the Kubernetes namespaces that belong to them, keys and the audit trail.

do $$
begin
  if not (select rolsuper or rolbypassrls from pg_roles where rolname = current_user) then
    raise exception 'migrations must be applied by a role that bypasses row-level security, such as postgres on Supabase'
      using hint = 'the helper functions below read memberships on behalf of people, whatever the policies say';
  end if;
end
$$;

-- Helper functions live where PostgREST does not offer them.
create schema millwright;
grant usage on schema millwright to authenticated, service_role;

-- In ascending order: `role >= 'supervisor'` means supervisor or admin.
create type public.member_role as enum ('viewer', 'supervisor', 'admin');

create table public.organisations (
  id uuid primary key default gen_random_uuid(),
  name text not null unique check (length(name) between 1 and 200),
  created_at timestamptz not null default now()
);

-- No reference to auth.users: where identities come from elsewhere there is no such table.
create table public.members (
  organisation_id uuid not null references public.organisations on delete cascade,
  user_id uuid not null,
  role public.member_role not null,
  created_at timestamptz not null default now(),
  primary key (organisation_id, user_id)
);
create index members_by_user on public.members (user_id, role) include (organisation_id);

-- History carries a namespace, not an organisation: mapping a namespace later makes its past visible as well.
create table public.namespaces (
  name text primary key check (length(name) between 1 and 63),
  organisation_id uuid not null references public.organisations on delete cascade,
  created_at timestamptz not null default now()
);
create index namespaces_by_organisation on public.namespaces (organisation_id) include (name);

-- The key itself is shown once and never stored: a look-up finds the prefix and compares the hash of the whole.
create table public.api_keys (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references public.organisations on delete cascade,
  name text not null check (length(name) between 1 and 200),
  prefix text not null unique check (prefix ~ '^[A-Za-z0-9_-]{8,32}$'),
  hash text not null check (hash ~ '^[0-9a-f]{64}$'),
  role public.member_role not null,
  created_by uuid,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
create index api_keys_by_organisation on public.api_keys (organisation_id, created_at desc);

create table public.audit (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid,
  at timestamptz not null default now(),
  actor text not null check (length(actor) between 1 and 320),
  action text not null check (length(action) between 1 and 100),
  subject text not null check (length(subject) <= 500),
  details jsonb not null default '{}' check (octet_length(details::text) <= 65536),
  address text check (length(address) <= 200),
  trace_id text check (trace_id ~ '^[0-9a-f]{32}$')
);
create index audit_by_organisation on public.audit (organisation_id, at desc, id desc);

-- Organisations in which the calling person has at least this role. Security definer, because the policy of `members` itself asks it.
create function millwright.organisations_as(minimum public.member_role) returns uuid[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(organisation_id), '{}')
  from public.members
  where user_id = (select auth.uid()) and role >= minimum
$$;

-- Namespaces of those organisations.
create function millwright.namespaces_as(minimum public.member_role) returns text[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(namespaces.name), '{}')
  from public.namespaces
  join public.members using (organisation_id)
  where members.user_id = (select auth.uid()) and members.role >= minimum
$$;

revoke execute on function millwright.organisations_as, millwright.namespaces_as from public;
grant execute on function millwright.organisations_as, millwright.namespaces_as to authenticated, service_role;

-- An organisation without an admin could never be managed again.
create function millwright.keep_an_admin() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  -- One change of an organisation's members at a time, or two admins could remove each other.
  perform from public.organisations where id = old.organisation_id for update;
  -- When the organisation itself is deleted, its members go with it.
  if found and old.role = 'admin' and not exists (
    select from public.members where organisation_id = old.organisation_id and role = 'admin'
  ) then
    raise exception 'an organisation keeps at least one admin' using errcode = 'check_violation';
  end if;
  return null;
end
$$;

create trigger keep_an_admin after update or delete on public.members
  for each row execute function millwright.keep_an_admin();

-- Writes who changed what. Hashes of keys stay out of it.
create function millwright.audit_change() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  before jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - 'hash' end;
  after jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - 'hash' end;
  now_row jsonb := coalesce(after, before);
  headers jsonb := coalesce(nullif(current_setting('request.headers', true), ''), '{}')::jsonb;
begin
  insert into public.audit (organisation_id, actor, action, subject, details, address, trace_id)
  values (
    (case tg_table_name when 'organisations' then now_row ->> 'id' else now_row ->> 'organisation_id' end)::uuid,
    coalesce('user:' || (select auth.uid()), 'role:' || coalesce((select auth.jwt()) ->> 'role', session_user)),
    tg_table_name || '.' || lower(tg_op),
    coalesce(now_row ->> 'user_id', now_row ->> 'id', now_row ->> 'name'),
    jsonb_strip_nulls(jsonb_build_object('before', before, 'after', after)),
    left(headers ->> 'x-forwarded-for', 200),
    substring(headers ->> 'traceparent' from '^[0-9a-f]{2}-([0-9a-f]{32})-')
  );
  return null;
end
$$;

create trigger audit_change after insert or update or delete on public.organisations
  for each row execute function millwright.audit_change();
create trigger audit_change after insert or update or delete on public.members
  for each row execute function millwright.audit_change();
create trigger audit_change after insert or update or delete on public.namespaces
  for each row execute function millwright.audit_change();
-- Not on every use of a key: `last_used_at` alone is no change of a right.
create trigger audit_change after insert or delete or update of name, role, expires_at, revoked_at, hash, prefix on public.api_keys
  for each row execute function millwright.audit_change();

revoke execute on function millwright.keep_an_admin, millwright.audit_change from public;

-- Rights. Supabase grants everything on new tables to its API roles; what is not meant for them is taken back here.
alter table public.organisations enable row level security, force row level security;
alter table public.members enable row level security, force row level security;
alter table public.namespaces enable row level security, force row level security;
alter table public.api_keys enable row level security, force row level security;
alter table public.audit enable row level security, force row level security;

revoke all on public.organisations, public.members, public.namespaces, public.api_keys, public.audit
  from anon, authenticated, service_role;
grant select, insert, update, delete on public.organisations, public.members, public.namespaces, public.api_keys to service_role;
-- Nobody changes what has been audited, the service neither.
grant select, insert on public.audit to service_role;

grant select, update (name) on public.organisations to authenticated;
grant select, insert (organisation_id, user_id, role), update (role), delete on public.members to authenticated;
grant select on public.namespaces to authenticated;
grant select (id, organisation_id, name, prefix, role, created_by, created_at, expires_at, last_used_at, revoked_at),
  update (revoked_at) on public.api_keys to authenticated;
grant select on public.audit to authenticated;

-- `(select …)` makes the planner ask once per statement instead of once per row.
create policy read on public.organisations for select to authenticated
  using (id = any ((select millwright.organisations_as('viewer'))::uuid[]));
create policy rename on public.organisations for update to authenticated
  using (id = any ((select millwright.organisations_as('admin'))::uuid[]));

create policy read on public.members for select to authenticated
  using (organisation_id = any ((select millwright.organisations_as('viewer'))::uuid[]));
create policy add on public.members for insert to authenticated
  with check (organisation_id = any ((select millwright.organisations_as('admin'))::uuid[]));
create policy change on public.members for update to authenticated
  using (organisation_id = any ((select millwright.organisations_as('admin'))::uuid[]));
create policy remove on public.members for delete to authenticated
  using (organisation_id = any ((select millwright.organisations_as('admin'))::uuid[]));

-- Mapping a namespace is the service's: an admin could otherwise claim the namespace of another organisation.
create policy read on public.namespaces for select to authenticated
  using (organisation_id = any ((select millwright.organisations_as('viewer'))::uuid[]));

create policy read on public.api_keys for select to authenticated
  using (organisation_id = any ((select millwright.organisations_as('supervisor'))::uuid[]));
-- Only ever to revoke: what is revoked stays so.
create policy revoke on public.api_keys for update to authenticated
  using (organisation_id = any ((select millwright.organisations_as('admin'))::uuid[]) and revoked_at is null)
  with check (organisation_id = any ((select millwright.organisations_as('admin'))::uuid[]) and revoked_at is not null);

create policy read on public.audit for select to authenticated
  using (organisation_id = any ((select millwright.organisations_as('supervisor'))::uuid[]));
