-- Reading in the name of an API key, as the service does it.
begin;
select plan(14);

insert into public.organisations (id, name) values
  ('10000000-0000-4000-8000-000000000001', 'own'), ('10000000-0000-4000-8000-000000000002', 'foreign');
insert into public.namespaces (name, organisation_id) values
  ('team-own', '10000000-0000-4000-8000-000000000001'), ('team-second', '10000000-0000-4000-8000-000000000001'),
  ('team-foreign', '10000000-0000-4000-8000-000000000002');
insert into public.api_keys (id, organisation_id, name, prefix, hash, role) values
  ('30000000-0000-4000-8000-00000000000a', '10000000-0000-4000-8000-000000000001', 'own', 'own-prefix', repeat('0', 64), 'viewer');
insert into public.projects (uid, namespace, name, resource_version, spec, status, created_at, updated_at)
  select namespace || '-' || i, namespace, 'p''; --', i, '{}', '{}', '2026-01-01'::timestamptz + i / 2 * interval '1 day', now()
  from unnest(array['team-own', 'team-second', 'team-foreign', 'team-unmapped']) as namespace, generate_series(1, 2) as i;

create function pg_temp.uids(key text, filters jsonb default '{}', after text[] default null, rows integer default 1000) returns text[]
  language sql as $$
  select array_agg(row ->> 'uid' order by place) from public.read_as_key(
    key::uuid, 'projects', array['uid', 'created_at'], filters, array['created_at', 'uid'], after, rows
  ) with ordinality as found(row, place)
$$;
create function pg_temp.sign_in(role text) returns void language plpgsql as $$
begin
  perform set_config('request.jwt.claims', jsonb_build_object('role', role)::text, true);
  execute format('set local role %I', role);
end
$$;

select pg_temp.sign_in('service_role');
select is(pg_temp.uids('30000000-0000-4000-8000-00000000000a'),
  array['team-second-2', 'team-own-2', 'team-second-1', 'team-own-1'], 'all namespaces of the organisation, the newest first');
select is(pg_temp.uids('30000000-0000-4000-8000-00000000000a', rows => 1), array['team-second-2'], 'as many as asked for');
select is(pg_temp.uids('30000000-0000-4000-8000-00000000000a', after => array['2026-01-02', 'team-own-2']),
  array['team-second-1', 'team-own-1'], 'what comes after a row');
select is(pg_temp.uids('30000000-0000-4000-8000-00000000000a', '{"namespace": "team-own", "name": "p''; --"}'),
  array['team-own-2', 'team-own-1'], 'what filters say, whatever is in them');
select is(pg_temp.uids('30000000-0000-4000-8000-00000000000a', '{"namespace": "team-foreign"}'), null,
  'nothing of another organisation');
select is(pg_temp.uids('30000000-0000-4000-8000-00000000000b'), null, 'nothing for a key that is not there');
select is((select count(*) from public.read_as_key('30000000-0000-4000-8000-00000000000a', 'projects', '{}')), 4::bigint,
  'all columns when none are named');
select is((select count(*) from public.read_as_key('30000000-0000-4000-8000-00000000000a', 'organisations', '{}')), 0::bigint,
  'nothing of what an organisation is made of');
select throws_ok(
  $$ select public.read_as_key('30000000-0000-4000-8000-00000000000a', 'api_keys', array['hash']) $$, '42501', null,
  'no hashes');
select throws_ok(
  $$ select public.read_as_key('30000000-0000-4000-8000-00000000000a', 'projects; --', '{}') $$, '42P01', null,
  'a table has one name');
select is((select count(*) from public.projects), 8::bigint, 'afterwards the service has its own rights again');
reset role;

update public.api_keys set revoked_at = now() where name = 'own';
select pg_temp.sign_in('service_role');
select is(pg_temp.uids('30000000-0000-4000-8000-00000000000a'), null, 'nothing for a key that was revoked a moment ago');
reset role;

select pg_temp.sign_in('authenticated');
select throws_ok(
  $$ select public.read_as_key('30000000-0000-4000-8000-00000000000a', 'projects', '{}') $$, '42501', null, 'people do not call it');
reset role;
select pg_temp.sign_in('anon');
select throws_ok(
  $$ select public.read_as_key('30000000-0000-4000-8000-00000000000a', 'projects', '{}') $$, '42501', null, 'nor does anybody');
reset role;

select * from finish();
rollback;
