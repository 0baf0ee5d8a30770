-- API keys read as people do: through row-level security. A Supabase project is reached by its URL and a key alone, so no token can be signed
-- for the holder of an API key; instead the service names the key, and gives its own rights up before it reads.

-- The key in whose name the service reads; null for anybody else, whatever they set.
create function millwright.calling_key() returns uuid
  language sql stable set search_path = ''
as $$
  select case when (select auth.jwt()) ->> 'role' = 'service_role'
    then nullif(current_setting('millwright.api_key', true), '')::uuid end
$$;

-- Namespaces of the organisations in which the caller, a person or a key, has at least this role.
create or replace function millwright.namespaces_as(minimum public.member_role) returns text[]
  language sql stable security definer set search_path = ''
as $$
  select coalesce(array_agg(name), '{}')
  from public.namespaces
  where organisation_id in (
    select organisation_id from public.members where user_id = (select auth.uid()) and role >= minimum
    union all
    select organisation_id from public.api_keys
    where id = (select millwright.calling_key()) and role >= minimum
      and revoked_at is null and (expires_at is null or expires_at > now())
  )
$$;

-- Rows that an API key may read, each as a document of the given columns. `filters` are columns and what they equal; `sort` names the columns
-- to sort by, the last first, and `after` their values in the last row of the page before.
create function public.read_as_key(
  key uuid, relation text, columns text[], filters jsonb default '{}', sort text[] default '{}', after text[] default null,
  rows integer default 1000
) returns setof jsonb
  language plpgsql security invoker set search_path = ''
as $$
declare
  caller text := current_setting('role');
  wanted text := (select string_agg(quote_ident(name), ', ') from unnest(columns) as name);
  ordered text := (select string_agg(quote_ident(name) || ' desc', ', ') from unnest(sort) as name);
  conditions text := (select string_agg(format(' and %I = %L', name, value), '') from jsonb_each_text(filters) as filter(name, value));
begin
  perform set_config('millwright.api_key', key::text, true);
  -- Not as a setting of the function: whoever applies this may not be a member of the role. Whoever calls it through PostgREST is.
  perform set_config('role', 'authenticated', true);
  if after is not null then
    conditions := coalesce(conditions, '') || format(' and (%s) < (%s)',
      (select string_agg(quote_ident(name), ', ') from unnest(sort) as name),
      (select string_agg(quote_literal(value), ', ') from unnest(after) as value));
  end if;
  return query execute format('select to_jsonb(page) from (select %s from public.%I where true%s%s limit %s) as page',
    coalesce(wanted, '*'), relation, coalesce(conditions, ''), coalesce(' order by ' || ordered, ''), least(rows, 1000));
  perform set_config('role', caller, true);
end
$$;

revoke execute on function millwright.calling_key, public.read_as_key from public, anon, authenticated;
-- `namespaces_as` calls it with the rights of its owner.
grant execute on function public.read_as_key to service_role;
