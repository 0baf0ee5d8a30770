/** Runs in Temporal's isolate: no other imports than from the SDK. */
import { proxyActivities } from '@temporalio/workflow';

const { work } = proxyActivities<{ work(): Promise<void> }>({ startToCloseTimeout: '5 minutes' });

/** So many tasks at once. */
export async function fanOut(count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => work()));
}

/** So many tasks, each after the one before. */
export async function chain(count: number): Promise<void> {
  for (let step = 0; step < count; step++) await work();
}
