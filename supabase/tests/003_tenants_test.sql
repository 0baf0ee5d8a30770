-- Ways around the policies that the matrix does not try.
begin;
select plan(19);

insert into public.organisations (id, name) values
  ('10000000-0000-4000-8000-000000000001', 'own'), ('10000000-0000-4000-8000-000000000002', 'foreign');
insert into public.members (organisation_id, user_id, role) values
  ('10000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000a', 'viewer'),
  ('10000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000b', 'supervisor'),
  ('10000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000c', 'admin'),
  ('10000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-00000000000d', 'admin');
insert into public.namespaces (name, organisation_id) values ('team-foreign', '10000000-0000-4000-8000-000000000002');
insert into public.api_keys (organisation_id, name, prefix, hash, role, revoked_at) values
  ('10000000-0000-4000-8000-000000000001', 'live', 'live-prefix', repeat('0', 64), 'viewer', null),
  ('10000000-0000-4000-8000-000000000001', 'revoked', 'revoked-prefix', repeat('0', 64), 'viewer', now());
insert into public.events (at, id, namespace, type, subject_kind, subject_uid, payload)
  values (now(), 'foreign', 'team-foreign', 'progress', 'AgentTask', 'x', '{}');

create function pg_temp.sign_in(role text, person text) returns void language plpgsql as $$
begin
  perform set_config('request.jwt.claims', jsonb_build_object('role', role, 'sub', person)::text, true);
  execute format('set local role %I', role);
end
$$;
grant execute on function pg_temp.sign_in to public;

select pg_temp.sign_in('authenticated', '00000000-0000-4000-8000-00000000000c');
select throws_ok('select hash from public.api_keys', '42501', null, 'an admin does not read hashes');
select throws_ok('select * from public.api_keys', '42501', null, 'nor with a star');
select throws_ok(
  $$ update public.api_keys set role = 'admin' where name = 'live' $$, '42501', null, 'an admin does not raise the role of a key');
select throws_ok(
  $$ update public.api_keys set revoked_at = null where name = 'live' $$, '42501', null, 'an admin only ever revokes');
select results_eq(
  $$ with changed as (update public.api_keys set revoked_at = null where name = 'revoked' returning 1) select count(*) from changed $$,
  array[0::bigint], 'what is revoked stays revoked');
select throws_ok(
  $$ insert into public.members (organisation_id, user_id, role)
     values ('10000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-00000000000c', 'admin') $$,
  '42501', null, 'an admin does not join another organisation');
select throws_ok(
  $$ update public.members set organisation_id = '10000000-0000-4000-8000-000000000002' $$, '42501', null,
  'an admin does not move members to another organisation');
select throws_ok(
  $$ update public.members set role = 'viewer' where role = 'admin' $$, '23514', null, 'the last admin stays admin');
select throws_ok(
  $$ delete from public.members where role = 'admin' $$, '23514', null, 'the last admin stays a member');
select throws_ok($$ select public.record_batch('[]') $$, '42501', null, 'people do not record');
select lives_ok(
  $$ insert into public.members (organisation_id, user_id, role)
     values ('10000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-00000000000e', 'viewer') $$,
  'an admin adds a member');
select results_eq(
  $$ select actor, action, subject from public.audit where subject like '%00e' $$,
  $$ values ('user:00000000-0000-4000-8000-00000000000c', 'members.insert', '00000000-0000-4000-8000-00000000000e') $$,
  'the database notes who added whom');
reset role;

select pg_temp.sign_in('authenticated', '00000000-0000-4000-8000-00000000000b');
select results_eq(
  $$ with changed as (update public.members set role = 'admin'
       where user_id = '00000000-0000-4000-8000-00000000000b' returning 1) select count(*) from changed $$,
  array[0::bigint], 'a supervisor does not promote themselves');
reset role;

select pg_temp.sign_in('anon', '00000000-0000-4000-8000-00000000000c');
select throws_ok('select from public.events', '42501', null, 'the anonymous role reads nothing, whatever its token claims');
select throws_ok($$ select public.record_batch('[]') $$, '42501', null, 'the anonymous role does not record');
reset role;

select pg_temp.sign_in('service_role', null);
select lives_ok($$ select public.record_batch('[]') $$, 'the service records');
select throws_ok($$ update public.audit set actor = 'x' $$, '42501', null, 'the service does not rewrite the audit trail');
select throws_ok('delete from public.audit', '42501', null, 'nor delete from it');
reset role;

select set_config('request.jwt.claims', '', true);
delete from public.organisations where name = 'own';
select is((select count(*) from public.members where organisation_id = '10000000-0000-4000-8000-000000000001'), 0::bigint,
  'an organisation can be deleted with its admins');

select * from finish();
rollback;
