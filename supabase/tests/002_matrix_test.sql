-- Role × tenant × table × command, without a gap: what is not listed as allowed must be refused.
begin;

create schema cases;

create table cases.people (name text primary key, claims jsonb not null, role text, key uuid);
insert into cases.people values
  ('viewer', '{"role": "authenticated", "sub": "00000000-0000-4000-8000-00000000000a"}', 'viewer'),
  ('supervisor', '{"role": "authenticated", "sub": "00000000-0000-4000-8000-00000000000b"}', 'supervisor'),
  ('admin', '{"role": "authenticated", "sub": "00000000-0000-4000-8000-00000000000c"}', 'admin'),
  ('a stranger', '{"role": "authenticated", "sub": "00000000-0000-4000-8000-00000000000d"}', null),
  ('a token without a person', '{"role": "authenticated"}', null),
  ('nobody', '{"role": "anon"}', null);
-- What the service asks in the name of an API key; people name one in vain.
insert into cases.people values
  ('a viewer''s key', '{"role": "service_role"}', 'viewer', '30000000-0000-4000-8000-00000000000a'),
  ('a supervisor''s key', '{"role": "service_role"}', 'supervisor', '30000000-0000-4000-8000-00000000000b'),
  ('an admin''s key', '{"role": "service_role"}', 'admin', '30000000-0000-4000-8000-00000000000c'),
  ('a revoked key', '{"role": "service_role"}', null, '30000000-0000-4000-8000-00000000000d'),
  ('an expired key', '{"role": "service_role"}', null, '30000000-0000-4000-8000-00000000000e'),
  ('an unknown key', '{"role": "service_role"}', null, '30000000-0000-4000-8000-00000000000f'),
  ('a stranger with a key', '{"role": "authenticated", "sub": "00000000-0000-4000-8000-00000000000d"}', null,
    '30000000-0000-4000-8000-00000000000c');

-- People belong to `own`; `foreign` has members of its own.
create table cases.tenants (name text primary key, organisation uuid not null, namespace text not null, uid text not null);
insert into cases.tenants values
  ('own', '10000000-0000-4000-8000-000000000001', 'team-own', 'own-object'),
  ('foreign', '10000000-0000-4000-8000-000000000002', 'team-foreign', 'foreign-object'),
  -- A namespace that belongs to no organisation.
  ('unmapped', '10000000-0000-4000-8000-000000000003', 'team-unmapped', 'unmapped-object');

insert into public.organisations (id, name) select organisation, name from cases.tenants where name <> 'unmapped';
insert into public.members (organisation_id, user_id, role)
  select '10000000-0000-4000-8000-000000000001', (claims ->> 'sub')::uuid, role::public.member_role from cases.people where role is not null and key is null;
insert into public.members (organisation_id, user_id, role) values
  ('10000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001', 'viewer'),
  ('10000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000002', 'viewer'),
  ('10000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000003', 'admin');
insert into public.namespaces (name, organisation_id) select namespace, organisation from cases.tenants where name <> 'unmapped';
insert into public.api_keys (organisation_id, name, prefix, hash, role)
  select organisation, name, name || '-prefix', repeat('0', 64), 'viewer' from cases.tenants where name <> 'unmapped';
insert into public.api_keys (id, organisation_id, name, prefix, hash, role, revoked_at, expires_at)
  select key, '10000000-0000-4000-8000-000000000001', name, 'prefix-' || right(key::text, 8), repeat('0', 64),
    coalesce(role, 'admin')::public.member_role, case name when 'a revoked key' then now() end,
    case name when 'an expired key' then now() - interval '1 second' end
  from cases.people where claims ->> 'role' = 'service_role' and name <> 'an unknown key';
insert into public.audit (organisation_id, actor, action, subject)
  select organisation, 'system:test', 'test', name from cases.tenants;
insert into public.projects (uid, namespace, name, resource_version, spec, status, created_at, updated_at)
  select uid, namespace, 'x', 1, '{}', '{}', now(), now() from cases.tenants;
insert into public.agent_pools (uid, namespace, name, resource_version, spec, status, created_at, updated_at)
  select uid, namespace, 'x', 1, '{}', '{}', now(), now() from cases.tenants;
insert into public.workflows (uid, namespace, name, resource_version, spec, status, created_at, updated_at)
  select uid, namespace, 'x', 1, '{}', '{}', now(), now() from cases.tenants;
insert into public.tasks (uid, namespace, name, resource_version, spec, status, created_at, updated_at)
  select uid, namespace, 'x', 1, '{}', '{}', now(), now() from cases.tenants;
insert into public.attempts (task_uid, attempt, namespace, resource_version) select uid, 1, namespace, 1 from cases.tenants;
insert into public.agents (namespace, pool, pod, task_uid, attempt, first_seen_at, last_seen_at)
  select namespace, 'x', 'x', uid, 1, now(), now() from cases.tenants;
insert into public.artifacts (task_uid, attempt, name, digest, namespace, created_at)
  select uid, 1, 'x', 'sha256:' || repeat('0', 64), namespace, now() from cases.tenants;
insert into public.events (at, id, namespace, type, subject_kind, subject_uid, payload)
  select now(), uid, namespace, 'progress', 'AgentTask', uid, '{}' from cases.tenants;

-- The statement that stands for a command on a table; %1 organisation, %2 namespace, %3 uid of the tenant.
create table cases.statements (table_name text, command text, statement text, allowed_from text, primary key (table_name, command));
insert into cases.statements values
  ('organisations', 'select', 'select from public.organisations where id = %1$L', 'viewer'),
  ('organisations', 'insert', 'insert into public.organisations (name) values (%3$L || ''-new'')', null),
  ('organisations', 'update', 'update public.organisations set name = %3$L || ''-changed'' where id = %1$L', 'admin'),
  ('organisations', 'delete', 'delete from public.organisations where id = %1$L', null),
  ('members', 'select', 'select from public.members where organisation_id = %1$L', 'viewer'),
  ('members', 'insert', 'insert into public.members (organisation_id, user_id, role) values (%1$L, gen_random_uuid(), ''viewer'')', 'admin'),
  ('members', 'update', 'update public.members set role = ''supervisor'' where organisation_id = %1$L and user_id::text like ''2%%'' and role = ''viewer''', 'admin'),
  ('members', 'delete', 'delete from public.members where organisation_id = %1$L and user_id::text like ''2%%'' and role = ''viewer''', 'admin'),
  ('namespaces', 'select', 'select from public.namespaces where name = %2$L', 'viewer'),
  ('namespaces', 'insert', 'insert into public.namespaces (name, organisation_id) values (%2$L || ''-new'', %1$L)', null),
  ('namespaces', 'update', 'update public.namespaces set name = %2$L || ''-changed'' where name = %2$L', null),
  ('namespaces', 'delete', 'delete from public.namespaces where name = %2$L', null),
  ('api_keys', 'select', 'select id, name, prefix from public.api_keys where organisation_id = %1$L', 'supervisor'),
  ('api_keys', 'insert', 'insert into public.api_keys (organisation_id, name, prefix, hash, role) values (%1$L, ''new'', ''prefix-new'', repeat(''1'', 64), ''admin'')', null),
  ('api_keys', 'update', 'update public.api_keys set revoked_at = now() where organisation_id = %1$L', 'admin'),
  ('api_keys', 'delete', 'delete from public.api_keys where organisation_id = %1$L', null),
  ('audit', 'select', 'select from public.audit where organisation_id = %1$L', 'supervisor'),
  ('audit', 'insert', 'insert into public.audit (organisation_id, actor, action, subject) values (%1$L, ''forged'', ''forged'', '''')', null),
  ('audit', 'update', 'update public.audit set actor = ''forged'' where organisation_id = %1$L', null),
  ('audit', 'delete', 'delete from public.audit where organisation_id = %1$L', null);
-- History: every member reads it, nobody but the recorder writes it.
insert into cases.statements
  select name, 'select', format('select from public.%I where namespace = %%2$L', name), 'viewer'
  from unnest(array['projects', 'agent_pools', 'workflows', 'tasks', 'attempts', 'agents', 'artifacts', 'events']) as name
  union all
  select name, command, case command
    when 'update' then format('update public.%I set namespace = %%2$L where namespace = %%2$L', name)
    when 'delete' then format('delete from public.%I where namespace = %%2$L', name)
    when 'insert' then format('insert into public.%I (uid, namespace, name, resource_version, spec, status, created_at, updated_at)
      values (%%3$L || ''-new'', %%2$L, ''x'', 1, ''{}'', ''{}'', now(), now())', name)
    end, null
  from unnest(array['projects', 'agent_pools', 'workflows', 'tasks']) as name, unnest(array['insert', 'update', 'delete']) as command
  union all
  select name, command, case command
    when 'update' then format('update public.%I set namespace = %%2$L where namespace = %%2$L', name)
    when 'delete' then format('delete from public.%I where namespace = %%2$L', name)
    end, null
  from unnest(array['attempts', 'agents', 'artifacts', 'events']) as name, unnest(array['update', 'delete']) as command;
insert into cases.statements values
  ('attempts', 'insert', 'insert into public.attempts (task_uid, attempt, namespace, resource_version) values (%3$L, 2, %2$L, 1)', null),
  ('agents', 'insert', 'insert into public.agents (namespace, pool, pod, task_uid, attempt, first_seen_at, last_seen_at) values (%2$L, ''x'', ''new'', %3$L, 1, now(), now())', null),
  ('artifacts', 'insert', 'insert into public.artifacts (task_uid, attempt, name, digest, namespace, created_at) values (%3$L, 2, ''x'', ''sha256:'' || repeat(''1'', 64), %2$L, now())', null),
  ('events', 'insert', 'insert into public.events (at, id, namespace, type, subject_kind, subject_uid, payload) values (now(), ''forged'', %2$L, ''progress'', ''AgentTask'', %3$L, ''{}'')', null);

-- Runs a statement as somebody and undoes it: `done` when it touched a row, `nothing` when it found none, `denied` when refused.
create function cases.outcome(claims jsonb, statement text, key uuid default null) returns text language plpgsql as $$
declare
  touched bigint;
  outcome text;
begin
  begin
    perform set_config('request.jwt.claims', claims::text, true);
    perform set_config('millwright.api_key', coalesce(key::text, ''), true);
    -- In the name of a key the service gives its own rights up.
    execute format('set local role %I', case when key is null then claims ->> 'role' else 'authenticated' end);
    execute statement;
    get diagnostics touched = row_count;
    raise exception using errcode = 'UNDO1', message = case when touched > 0 then 'done' else 'nothing' end;
  exception
    when sqlstate 'UNDO1' then outcome := sqlerrm;
    when insufficient_privilege then outcome := 'denied';
  end;
  return outcome;
end
$$;

create table cases.results as
  select people.name as person, people.claims, people.role, tenants.name as tenant, statements.*,
    case when tenants.name = 'own' and people.role is not null
           and people.role::public.member_role >= statements.allowed_from::public.member_role
           -- Keys are for the history; what an organisation is made of is for people.
           and (people.key is null or statements.table_name in (
             'projects', 'agent_pools', 'workflows', 'tasks', 'attempts', 'agents', 'artifacts', 'events'))
      then 'done' else 'refused' end as expected,
    cases.outcome(people.claims, format(statements.statement, tenants.organisation, tenants.namespace, tenants.uid), people.key) as outcome
  from cases.people cross join cases.tenants cross join cases.statements;

select plan((select count(*)::integer from cases.results) + (select count(*)::integer from cases.statements) + 2);

-- The matrix has no hole: each table has each command.
select is(
  (select array_agg(tablename || ' ' || command order by tablename, command)
   from pg_tables cross join unnest(array['select', 'insert', 'update', 'delete']) as command
   where schemaname = 'public' and (tablename::text, command) not in (select table_name, statements.command from cases.statements)),
  null,
  'every command on every table is in the matrix');
select ok((select count(*) > 900 from cases.results), 'the matrix is large: no join has come out empty');

-- A statement that is wrong in itself would be refused to everybody and prove nothing: without row-level security each one works.
select is(
  cases.outcome(jsonb_build_object('role', current_user), format(statement, organisation, namespace, uid)), 'done',
  format('the statement for %s on %s is a good one', command, table_name))
from cases.statements cross join cases.tenants where tenants.name = 'own'
order by table_name, command;

select is(
  case when outcome = 'done' then 'done' when outcome in ('nothing', 'denied') then 'refused' else outcome end, expected,
  format('%s: %s on %s of the %s tenant is %s', person, command, table_name, tenant, expected))
from cases.results order by person, tenant, table_name, command;

select * from finish();
rollback;
