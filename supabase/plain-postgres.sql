-- What every Supabase project brings and the migrations rely on, for a plain Postgres (16 or newer).
-- Not a migration: on Supabase these roles and functions exist and belong to the platform. Safe to apply again.

-- Roles belong to the server, not to the database: two databases may be set up at the same time, hence the tolerated violation.
do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('anon', 'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role', 'nologin noinherit bypassrls'),
      ('authenticator', 'nologin noinherit')) as roles(name, attributes)
    where not exists (select from pg_roles where rolname = roles.name)
  loop
    begin
      execute format('create role %I %s', wanted.name, wanted.attributes);
    exception when duplicate_object or unique_violation then
      null;
    end;
  end loop;
  for wanted in
    select unnest(array['anon', 'authenticated', 'service_role']) as name
  loop
    if not pg_has_role('authenticator', wanted.name, 'set') then
      begin
        execute format('grant %I to authenticator', wanted.name);
      exception when unique_violation then
        null;
      end;
    end if;
  end loop;
end
$$;

create schema if not exists extensions;
create schema if not exists auth;
-- Also to whoever applies the migrations, whose functions call these.
grant usage on schema auth, extensions to public;

-- PostgREST puts the verified claims of the request's token into this setting.
create or replace function auth.jwt() returns jsonb
  language sql stable set search_path = ''
as $$
  select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb
$$;

create or replace function auth.uid() returns uuid
  language sql stable set search_path = ''
as $$
  select nullif(auth.jwt() ->> 'sub', '')::uuid
$$;

create or replace function auth.role() returns text
  language sql stable set search_path = ''
as $$
  select auth.jwt() ->> 'role'
$$;

-- As on Supabase: what is created in `public` can be used by the API's roles, and row-level security decides about the rows.
grant usage on schema public to anon, authenticated, service_role;
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
