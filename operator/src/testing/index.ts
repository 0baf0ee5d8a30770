export { applyDefinitions } from './definitions.ts';
export * from './plain-agents.ts';
export * from './writes.ts';
