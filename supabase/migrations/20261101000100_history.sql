-- What happened: a row per object of the cluster, kept after the object is gone, and the events in between.
-- Written by the recorder (service_role), read by people through row-level security.

-- A uid is opaque to us, and a resource version is a number that only grows (Kubernetes since 1.35 says so).
create table public.projects (
  uid text primary key check (length(uid) between 1 and 64),
  namespace text not null,
  name text not null,
  resource_version bigint not null,
  spec jsonb not null check (octet_length(spec::text) <= 131072),
  status jsonb not null check (octet_length(status::text) <= 131072),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);
create index projects_by_name on public.projects (namespace, name);

create table public.agent_pools (like public.projects including all);
alter index public.agent_pools_namespace_name_idx rename to agent_pools_by_name;

create table public.workflows (
  uid text primary key check (length(uid) between 1 and 64),
  namespace text not null,
  name text not null,
  resource_version bigint not null,
  project text,
  -- Narrow columns for lists, which never need to read the documents.
  phase text generated always as (status ->> 'phase') stored,
  reason text generated always as (status ->> 'reason') stored,
  message text generated always as (status ->> 'message') stored,
  stage text generated always as (status ->> 'stage') stored,
  progress text generated always as (status ->> 'progress') stored,
  trace_id text generated always as (status ->> 'traceID') stored,
  started_at timestamptz,
  finished_at timestamptz,
  spec jsonb not null check (octet_length(spec::text) <= 131072),
  status jsonb not null check (octet_length(status::text) <= 131072),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);
create index workflows_by_time on public.workflows (namespace, created_at desc, uid desc);
create index workflows_by_project on public.workflows (namespace, project, created_at desc, uid desc);

create table public.tasks (
  uid text primary key check (length(uid) between 1 and 64),
  namespace text not null,
  name text not null,
  resource_version bigint not null,
  project text,
  workflow_uid text,
  phase text generated always as (status ->> 'phase') stored,
  reason text generated always as (status ->> 'reason') stored,
  message text generated always as (status ->> 'message') stored,
  attempt integer generated always as ((status ->> 'attempt')::integer) stored,
  tests text generated always as (status ->> 'tests') stored,
  branch text generated always as (status ->> 'branch') stored,
  commit text generated always as (status -> 'result' ->> 'commit') stored,
  trace_id text generated always as (status ->> 'traceID') stored,
  queued_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  spec jsonb not null check (octet_length(spec::text) <= 131072),
  status jsonb not null check (octet_length(status::text) <= 131072),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);
create index tasks_by_time on public.tasks (namespace, created_at desc, uid desc);
create index tasks_by_workflow on public.tasks (workflow_uid, created_at desc, uid desc);

create table public.attempts (
  task_uid text not null,
  attempt integer not null check (attempt between 1 and 1000),
  namespace text not null,
  workflow_uid text,
  resource_version bigint not null,
  -- Null while it runs.
  outcome text check (outcome in ('Succeeded', 'Failed', 'Cancelled')),
  class text,
  reason text,
  message text,
  pool text,
  pod text,
  started_at timestamptz,
  finished_at timestamptz,
  primary key (task_uid, attempt)
);
create index attempts_by_time on public.attempts (namespace, started_at desc);

-- Sandboxes that have held a claim.
create table public.agents (
  namespace text not null,
  pool text not null,
  pod text not null,
  task_uid text not null,
  attempt integer not null,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  primary key (namespace, pool, pod)
);

create table public.artifacts (
  task_uid text not null,
  attempt integer not null,
  name text not null check (length(name) between 1 and 128),
  digest text not null check (digest ~ '^sha256:[0-9a-f]{64}$'),
  namespace text not null,
  media_type text,
  bytes bigint check (bytes >= 0),
  created_at timestamptz not null,
  primary key (task_uid, attempt, name, digest)
);
create index artifacts_by_digest on public.artifacts (namespace, digest);

-- The timeline: snapshots, output, progress and artifacts as they came. It grows with every line that an agent prints, so what is older than
-- the retention goes (`prune_events`); the rows of the other tables stay.
create table public.events (
  id text primary key check (length(id) between 1 and 256),
  at timestamptz not null,
  namespace text not null,
  type text not null check (type in ('snapshot', 'log', 'progress', 'artifact')),
  subject_kind text not null,
  subject_uid text not null,
  workflow_uid text,
  attempt integer,
  work_kind text,
  sequence bigint,
  payload jsonb not null check (octet_length(payload::text) <= 98304)
);
create index events_by_age on public.events (at);
create index events_by_time on public.events (namespace, at desc, id desc);
create index events_by_subject on public.events (subject_uid, at desc, id desc);
create index events_by_workflow on public.events (workflow_uid, at desc, id desc) where workflow_uid is not null;
create index events_of_logs on public.events (subject_uid, attempt, work_kind, sequence) where type = 'log';

do $$
declare
  name text;
begin
  foreach name in array array['projects', 'agent_pools', 'workflows', 'tasks', 'attempts', 'agents', 'artifacts', 'events']
  loop
    execute format('alter table public.%I enable row level security, force row level security', name);
    execute format('revoke all on public.%I from anon, authenticated, service_role', name);
    execute format('grant select, insert, update, delete on public.%I to service_role', name);
    execute format('grant select on public.%I to authenticated', name);
    execute format(
      'create policy read on public.%I for select to authenticated
         using (namespace = any ((select millwright.namespaces_as(''viewer''))::text[]))', name);
  end loop;
end
$$;
