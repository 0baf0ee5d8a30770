-- The recorder's only way in. Messages are the event messages of the broker (`crds/src/messages.ts`), validated before they come here.
-- Every function may see the same message again, and messages in any order: what is older never replaces what is newer.

-- The newest snapshot of each object of one kind, in the order of their keys: two recorders then wait for each other instead of
-- deadlocking.
create function millwright.newest_snapshots(messages jsonb, wanted text)
  returns table (uid text, namespace text, name text, resource_version bigint, project text, workflow_uid text,
    spec jsonb, status jsonb, created_at timestamptz, updated_at timestamptz)
  language sql stable security invoker set search_path = ''
as $$
  select distinct on (m ->> 'uid')
    m ->> 'uid', m ->> 'namespace', m ->> 'name', (m ->> 'resourceVersion')::bigint, m ->> 'project', m ->> 'workflowUid',
    m -> 'spec', m -> 'status', (m ->> 'createdAt')::timestamptz, (m ->> 'at')::timestamptz
  from jsonb_array_elements(messages) as m
  where m ->> 'type' = 'snapshot' and m ->> 'kind' = wanted
  order by m ->> 'uid', (m ->> 'resourceVersion')::bigint desc, (m ->> 'at')::timestamptz
$$;

create function millwright.record_objects(messages jsonb) returns void
  language plpgsql security invoker set search_path = ''
as $$
declare
  kind text;
  target text;
begin
  insert into public.projects as current
    (uid, namespace, name, resource_version, spec, status, created_at, updated_at)
  select s.uid, s.namespace, s.name, s.resource_version, s.spec, s.status, s.created_at, s.updated_at
  from millwright.newest_snapshots(messages, 'Project') as s
  on conflict (uid) do update set
    resource_version = excluded.resource_version, spec = excluded.spec, status = excluded.status, updated_at = excluded.updated_at
  where excluded.resource_version > current.resource_version;

  insert into public.agent_pools as current
    (uid, namespace, name, resource_version, spec, status, created_at, updated_at)
  select s.uid, s.namespace, s.name, s.resource_version, s.spec, s.status, s.created_at, s.updated_at
  from millwright.newest_snapshots(messages, 'AgentPool') as s
  on conflict (uid) do update set
    resource_version = excluded.resource_version, spec = excluded.spec, status = excluded.status, updated_at = excluded.updated_at
  where excluded.resource_version > current.resource_version;

  insert into public.workflows as current
    (uid, namespace, name, resource_version, project, started_at, finished_at, spec, status, created_at, updated_at)
  select s.uid, s.namespace, s.name, s.resource_version, s.project, (s.status ->> 'startedAt')::timestamptz,
    (s.status ->> 'finishedAt')::timestamptz, s.spec, s.status, s.created_at, s.updated_at
  from millwright.newest_snapshots(messages, 'Workflow') as s
  on conflict (uid) do update set
    resource_version = excluded.resource_version, spec = excluded.spec, status = excluded.status, updated_at = excluded.updated_at,
    project = excluded.project, started_at = excluded.started_at, finished_at = excluded.finished_at
  where excluded.resource_version > current.resource_version;

  insert into public.tasks as current
    (uid, namespace, name, resource_version, project, workflow_uid, queued_at, started_at, finished_at, spec, status, created_at,
     updated_at)
  select s.uid, s.namespace, s.name, s.resource_version, s.project, s.workflow_uid, (s.status ->> 'queuedAt')::timestamptz,
    (s.status ->> 'startedAt')::timestamptz, (s.status ->> 'finishedAt')::timestamptz, s.spec, s.status, s.created_at, s.updated_at
  from millwright.newest_snapshots(messages, 'AgentTask') as s
  on conflict (uid) do update set
    resource_version = excluded.resource_version, spec = excluded.spec, status = excluded.status, updated_at = excluded.updated_at,
    project = excluded.project, workflow_uid = excluded.workflow_uid, queued_at = excluded.queued_at,
    started_at = excluded.started_at, finished_at = excluded.finished_at
  where excluded.resource_version > current.resource_version;

  -- Apart from the above: that an object is gone stays true whatever version the message carries.
  foreach kind in array array['Project', 'AgentPool', 'Workflow', 'AgentTask'] loop
    target := case kind when 'Project' then 'projects' when 'AgentPool' then 'agent_pools' when 'Workflow' then 'workflows' else 'tasks' end;
    execute format($sql$
      update public.%I as current set deleted_at = least(current.deleted_at, gone.at)
      from (
        select m ->> 'uid' as uid, min((m ->> 'at')::timestamptz) as at
        from jsonb_array_elements($1) as m
        where m ->> 'type' = 'snapshot' and m ->> 'kind' = $2 and (m ->> 'deleted')::boolean
        group by 1
      ) as gone
      where current.uid = gone.uid and (current.deleted_at is null or current.deleted_at > gone.at)
    $sql$, target) using messages, kind;
  end loop;
end
$$;

-- Attempts come from the tasks' snapshots: the current attempt, and the bounded list of those that ended.
create function millwright.record_attempts(messages jsonb) returns void
  language sql security invoker set search_path = ''
as $$
  with snapshots as materialized (
    select m ->> 'uid' as task_uid, m ->> 'namespace' as namespace, m ->> 'workflowUid' as workflow_uid,
      (m ->> 'resourceVersion')::bigint as resource_version, m -> 'status' as status
    from jsonb_array_elements(messages) as m
    where m ->> 'type' = 'snapshot' and m ->> 'kind' = 'AgentTask'
  ), seen as (
    select task_uid, namespace, workflow_uid, resource_version, (a ->> 'attempt')::integer as attempt, a ->> 'outcome' as outcome,
      a ->> 'class' as class, a ->> 'reason' as reason, a ->> 'message' as message, null as pool, a ->> 'pod' as pod,
      (a ->> 'startedAt')::timestamptz as started_at, (a ->> 'finishedAt')::timestamptz as finished_at
    from snapshots cross join lateral jsonb_array_elements(coalesce(status -> 'history', '[]')) as a
    union all
    select task_uid, namespace, workflow_uid, resource_version, (status ->> 'attempt')::integer, null,
      null, status ->> 'reason', status ->> 'message', status -> 'agent' ->> 'pool', status -> 'agent' ->> 'pod',
      (status -> 'agent' ->> 'at')::timestamptz, null
    from snapshots
    where status -> 'agent' is not null and (status ->> 'attempt')::integer >= 1
  )
  insert into public.attempts as current
    (task_uid, attempt, namespace, workflow_uid, resource_version, outcome, class, reason, message, pool, pod, started_at, finished_at)
  -- The list of ended attempts does not name the pool, and may not name the rest: an attempt has one claim, so any mention of it is true.
  select distinct on (task_uid, attempt)
    task_uid, attempt, namespace, workflow_uid, resource_version, outcome, class, reason, message,
    max(pool) over every, max(pod) over every, min(started_at) over every, finished_at
  from seen
  window every as (partition by task_uid, attempt)
  order by task_uid, attempt, outcome is null, resource_version desc
  on conflict (task_uid, attempt) do update set
    (resource_version, outcome, class, reason, message, finished_at) = (
      -- What has ended does not run again; otherwise the newer one is right.
      select case when newer then excluded.resource_version else current.resource_version end,
        case when newer then excluded.outcome else current.outcome end,
        case when newer then excluded.class else current.class end,
        case when newer then excluded.reason else current.reason end,
        case when newer then excluded.message else current.message end,
        case when newer then excluded.finished_at else current.finished_at end
      from (select (excluded.outcome is not null, excluded.resource_version) > (current.outcome is not null, current.resource_version)) as compared(newer)
    ),
    workflow_uid = coalesce(current.workflow_uid, excluded.workflow_uid),
    pool = coalesce(current.pool, excluded.pool),
    pod = coalesce(current.pod, excluded.pod),
    started_at = least(current.started_at, excluded.started_at);
$$;

-- Agents come from the claims that tasks hold.
create function millwright.record_agents(messages jsonb) returns void
  language sql security invoker set search_path = ''
as $$
  with claims as (
    select m ->> 'namespace' as namespace, claim ->> 'pool' as pool, claim ->> 'pod' as pod, m ->> 'uid' as task_uid,
      (m -> 'status' ->> 'attempt')::integer as attempt, (claim ->> 'at')::timestamptz as claimed_at, (m ->> 'at')::timestamptz as at
    from jsonb_array_elements(messages) as m
    cross join lateral (values (m -> 'status' -> 'agent'), (m -> 'status' -> 'verifier')) as both_claims(claim)
    where m ->> 'type' = 'snapshot' and m ->> 'kind' = 'AgentTask'
      and claim ->> 'pod' is not null and (m -> 'status' ->> 'attempt') is not null
  )
  insert into public.agents as current (namespace, pool, pod, task_uid, attempt, first_seen_at, last_seen_at)
  select distinct on (namespace, pool, pod)
    namespace, pool, pod, task_uid, attempt, min(claimed_at) over (partition by namespace, pool, pod), at
  from claims
  order by namespace, pool, pod, at desc, task_uid desc, attempt desc
  on conflict (namespace, pool, pod) do update set
    first_seen_at = least(current.first_seen_at, excluded.first_seen_at),
    (last_seen_at, task_uid, attempt) = (
      -- Also where two tasks tell of the same moment, the order in which they tell it must not matter.
      select claim.at, claim.task_uid, claim.attempt
      from (values (current.last_seen_at, current.task_uid, current.attempt),
        (excluded.last_seen_at, excluded.task_uid, excluded.attempt)) as claim(at, task_uid, attempt)
      order by claim desc limit 1
    );
$$;

create function millwright.record_artifacts(messages jsonb) returns void
  language sql security invoker set search_path = ''
as $$
  insert into public.artifacts as current (task_uid, attempt, name, digest, namespace, media_type, bytes, created_at)
  select task_uid, attempt, a ->> 'name', a ->> 'digest', min(namespace), max(a ->> 'mediaType'), max((a ->> 'bytes')::bigint), min(at)
  from (
    select m -> 'task' ->> 'uid' as task_uid, (m ->> 'attempt')::integer as attempt, m ->> 'namespace' as namespace,
      (m ->> 'at')::timestamptz as at, m -> 'artifact' as a
    from jsonb_array_elements(messages) as m
    where m ->> 'type' = 'artifact'
    union all
    select m ->> 'uid', (m -> 'status' ->> 'attempt')::integer, m ->> 'namespace', (m ->> 'at')::timestamptz, a
    from jsonb_array_elements(messages) as m
    cross join lateral jsonb_array_elements(coalesce(m -> 'status' -> 'result' -> 'artifacts', '[]')) as a
    where m ->> 'type' = 'snapshot' and m ->> 'kind' = 'AgentTask' and (m -> 'status' ->> 'attempt') is not null
  ) as found
  group by task_uid, attempt, a ->> 'name', a ->> 'digest'
  order by task_uid, attempt, a ->> 'name', a ->> 'digest'
  -- The same content twice: what one of the messages left out, the other may say.
  on conflict (task_uid, attempt, name, digest) do update set
    media_type = coalesce(current.media_type, excluded.media_type),
    bytes = coalesce(current.bytes, excluded.bytes),
    created_at = least(current.created_at, excluded.created_at);
$$;

-- A snapshot leaves a line in the timeline too; its documents are in the object's own row.
create function millwright.record_events(messages jsonb) returns void
  language sql security invoker set search_path = ''
as $$
  insert into public.events
    (at, id, namespace, type, subject_kind, subject_uid, workflow_uid, attempt, work_kind, sequence, payload)
  select distinct on (m ->> 'id')
    (m ->> 'at')::timestamptz, m ->> 'id', m ->> 'namespace', m ->> 'type',
    coalesce(case when m ->> 'type' = 'snapshot' then m ->> 'kind' end, 'AgentTask'),
    coalesce(case when m ->> 'type' = 'snapshot' then m ->> 'uid' end, m -> 'task' ->> 'uid'),
    case when m ->> 'kind' = 'Workflow' then m ->> 'uid' else m ->> 'workflowUid' end,
    coalesce((m ->> 'attempt')::integer, (m -> 'status' ->> 'attempt')::integer),
    case when m ->> 'type' in ('log', 'progress') then m ->> 'kind' end,
    (m ->> 'sequence')::bigint,
    case m ->> 'type'
      when 'snapshot' then jsonb_strip_nulls(jsonb_build_object(
        'name', m -> 'name', 'resourceVersion', m -> 'resourceVersion', 'deleted', m -> 'deleted',
        'phase', m -> 'status' -> 'phase', 'reason', m -> 'status' -> 'reason', 'message', m -> 'status' -> 'message',
        'progress', m -> 'status' -> 'progress'))
      when 'log' then jsonb_build_object('stream', m -> 'stream', 'text', m -> 'text')
      when 'progress' then jsonb_strip_nulls(jsonb_build_object('step', m -> 'step', 'message', m -> 'message'))
      else jsonb_build_object('artifact', m -> 'artifact')
    end
  from jsonb_array_elements(messages) as m
  -- The same event published anew may carry another time.
  order by m ->> 'id', (m ->> 'at')::timestamptz
  on conflict (id) do nothing;
$$;

-- Deletes the oldest events from before a moment, `most` of them, and says how many: a little at a time, so that recording goes on meanwhile.
-- Two that prune at once take different ones.
create function public.prune_events(before timestamptz, most integer) returns integer
  language sql security invoker set search_path = ''
as $$
  with old as (
    select id from public.events where at < before order by at limit most for update skip locked
  ), gone as (
    delete from public.events using old where events.id = old.id returning 1
  )
  select count(*)::integer from gone
$$;

-- Records many messages in one transaction: all of them, or none.
create function public.record_batch(messages jsonb) returns void
  language plpgsql security invoker set search_path = ''
as $$
begin
  if jsonb_typeof(messages) <> 'array' then
    raise exception 'messages must be an array' using errcode = 'invalid_parameter_value';
  end if;
  perform millwright.record_objects(messages);
  perform millwright.record_attempts(messages);
  perform millwright.record_agents(messages);
  perform millwright.record_artifacts(messages);
  perform millwright.record_events(messages);
end
$$;

revoke execute on function
  millwright.newest_snapshots, millwright.record_objects, millwright.record_attempts, millwright.record_agents,
  millwright.record_artifacts, millwright.record_events, public.record_batch, public.prune_events
  from public, anon, authenticated;
grant execute on function
  millwright.newest_snapshots, millwright.record_objects, millwright.record_attempts, millwright.record_agents,
  millwright.record_artifacts, millwright.record_events, public.record_batch, public.prune_events
  to service_role;
