import type { Condition } from '@millwright/crds';

/** Replaces the condition of the same type; the transition time moves only when the status does. */
export function setCondition(list: readonly Condition[], next: Condition): Condition[] {
  const message = next.message.slice(0, 1024);
  const index = list.findIndex((condition) => condition.type === next.type);
  const current = list[index];
  const entry = {
    ...next,
    message,
    lastTransitionTime: current?.status === next.status ? current.lastTransitionTime : next.lastTransitionTime,
  };
  return index < 0 ? [...list, entry] : list.with(index, entry);
}
