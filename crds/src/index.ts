export * from './agent-pool.ts';
export * from './agent-task.ts';
export * from './messages.ts';
export * from './project.ts';
export * from './reasons.ts';
export * from './resources.ts';
export * from './values.ts';
export * from './workflow.ts';
