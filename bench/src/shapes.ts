import type { WorkflowTask } from '@millwright/crds';

/** Tasks that the floor keeps at work at once at most: as many as the operator has connections to the API server. */
export const IN_FLIGHT = 32;

/** A DAG, and the order it imposes. */
export interface Shape {
  name: string;
  tasks: Partial<WorkflowTask>[];
  /** Numbers of tasks that may be at work at once, layer after layer: what the floor runs, since it knows no dependencies. */
  layers: readonly number[];
}

export const fanOut = (count: number): Shape => ({
  name: `fan-out of ${count}`,
  tasks: Array.from({ length: count }, (_, i) => ({ name: `t${i}` })),
  layers: [count],
});

export const chain = (count: number): Shape => ({
  name: `chain of ${count}`,
  tasks: Array.from({ length: count }, (_, i) => ({ name: `t${i}`, ...(i > 0 ? { dependsOn: [`t${i - 1}`] } : {}) })),
  layers: Array.from({ length: count }, () => 1),
});

/** Layers of `width` tasks between single ones, each layer depending on the one task before it and that on the whole layer. */
export const diamonds = (layers: number, width: number): Shape => {
  const tasks: Partial<WorkflowTask>[] = [];
  let before: string | undefined;
  for (let layer = 0; layer < layers; layer++) {
    const names = Array.from({ length: width }, (_, i) => `l${layer}x${i}`);
    for (const name of names) tasks.push({ name, ...(before === undefined ? {} : { dependsOn: [before] }) });
    before = `j${layer}`;
    tasks.push({ name: before, dependsOn: names });
  }
  return {
    name: `${layers} diamonds of ${width}`,
    tasks,
    layers: Array.from({ length: layers }, () => [width, 1]).flat(),
  };
};
