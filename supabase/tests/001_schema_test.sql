-- What holds for every table, whichever it is: a table added without protection fails here.
begin;
select plan(7);

select is(
  (select array_agg(relname::text order by relname) from pg_class
   where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not (relrowsecurity and relforcerowsecurity)),
  null,
  'row-level security is enabled and forced on every table');

select is(
  (select array_agg(tablename::text order by tablename) from pg_tables
   where schemaname = 'public' and tablename not in (select tablename from pg_policies where schemaname = 'public')),
  null,
  'every table has a policy');

select is(
  (select array_agg(tablename || '.' || policyname) from pg_policies
   where schemaname = 'public' and roles <> '{authenticated}'),
  null,
  'policies speak of signed-in people only');

select is(
  (select array_agg(distinct table_name || ' ' || privilege_type) from information_schema.role_table_grants
   where table_schema = 'public' and grantee in ('anon', 'PUBLIC')),
  null,
  'the anonymous role has no right on any table');

select is(
  (select array_agg(oid::regprocedure::text) from pg_proc
   where pronamespace in ('public'::regnamespace, 'millwright'::regnamespace)
     and (proconfig is null or not 'search_path=""' = any (proconfig))),
  null,
  'every function has an empty search path');

select is(
  (select array_agg(oid::regprocedure::text) from pg_proc
   where pronamespace in ('public'::regnamespace, 'millwright'::regnamespace)
     and (has_function_privilege('anon', oid, 'execute')
          or (has_function_privilege('authenticated', oid, 'execute') and proname not in ('organisations_as', 'namespaces_as')))),
  null,
  'people can call the two look-ups of their memberships and nothing else');

select is(
  (select array_agg(tablename || '.' || policyname) from pg_policies
   where schemaname = 'public' and coalesce(qual, '') || coalesce(with_check, '') !~ '\( SELECT millwright\.'),
  null,
  'policies ask for memberships once per statement, not once per row');

select * from finish();
rollback;
