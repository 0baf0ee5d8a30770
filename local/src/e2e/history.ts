import { databaseClient } from '@millwright/supabase/migrate';

export interface TaskHistory {
  phase: string;
  reason: string;
  attempt: number;
  commit: string | null;
  attempts: { attempt: number; outcome: string | null; pod: string | null }[];
  /** Whoever is known to have held a claim, by attempt and kind: `1:run` → pods. */
  holders: Record<string, string[]>;
  /** How often the command said `ran`, by attempt. */
  runs: Record<string, number>;
}

/** What Postgres knows of the tasks of a Workflow, by task uid. */
export async function historyOf(postgresUrl: string, workflowUid: string): Promise<Record<string, TaskHistory>> {
  const client = await databaseClient(postgresUrl);
  try {
    const rows = async <Row>(statement: string) =>
      (await client.query(statement, [workflowUid])).rows as unknown as Row[];
    const tasks = await rows<{ uid: string; phase: string; reason: string; attempt: number; commit: string | null }>(
      'select uid, phase, reason, attempt, commit from tasks where workflow_uid = $1',
    );
    const attempts = await rows<{ task_uid: string; attempt: number; outcome: string | null; pod: string | null }>(
      'select task_uid, attempt, outcome, pod from attempts where workflow_uid = $1 order by task_uid, attempt',
    );
    const holders = await rows<{ uid: string; key: string; pod: string }>(
      `select distinct subject_uid as uid, concat(payload->'status'->>'attempt', ':', kind) as key,
         payload->'status'->holder->>'pod' as pod
       from events, (values ('run', 'agent'), ('verify', 'verifier')) as of (kind, holder)
       where workflow_uid = $1 and type = 'snapshot' and payload->'status'->holder is not null`,
    );
    const runs = await rows<{ uid: string; attempt: number; count: number }>(
      `select subject_uid as uid, attempt, sum(regexp_count(payload->>'text', '^ran$', 1, 'n'))::int as count
       from events where subject_uid in (select uid from tasks where workflow_uid = $1)
         and type = 'log' and work_kind = 'run' group by 1, 2`,
    );
    return Object.fromEntries(
      tasks.map(({ uid, ...task }) => [
        uid,
        {
          ...task,
          attempts: attempts.filter((one) => one.task_uid === uid).map(({ task_uid: _, ...one }) => one),
          holders: groupPods(holders.filter((one) => one.uid === uid)),
          runs: Object.fromEntries(runs.filter((one) => one.uid === uid).map((one) => [one.attempt, one.count])),
        },
      ]),
    );
  } finally {
    await client.end();
  }
}

function groupPods(found: readonly { key: string; pod: string }[]): Record<string, string[]> {
  const keys = new Set(found.map(({ key }) => key));
  return Object.fromEntries(
    [...keys].map((key) => [key, found.filter((one) => one.key === key).map(({ pod }) => pod)]),
  );
}
