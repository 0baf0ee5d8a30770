import { databaseClient } from '@millwright/supabase/migrate';

export interface TaskHistory {
  phase: string;
  reason: string;
  attempt: number;
  commit: string | null;
  attempts: { attempt: number; outcome: string | null; pod: string | null }[];
  /** Sandboxes that have held a claim, to run or to verify, by attempt. */
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
    const holders = await rows<{ uid: string; attempt: number; pod: string }>(
      `select task_uid as uid, attempt, pod from agents
       where task_uid in (select uid from tasks where workflow_uid = $1) order by pod`,
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

function groupPods(found: readonly { attempt: number; pod: string }[]): Record<string, string[]> {
  return Object.fromEntries(
    found.map(({ attempt }) => [attempt, found.filter((one) => one.attempt === attempt).map(({ pod }) => pod)]),
  );
}
