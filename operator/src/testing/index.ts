export { applyDefinitions } from './definitions.ts';
export * from './plain-agents.ts';
