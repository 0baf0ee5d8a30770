export { createContext } from './context.ts';
export { MissingRequirement } from './debian.ts';
export { type Environment, readEnvironment } from './env.ts';
export { down, reset, type ServiceStatus, status, up } from './platform.ts';
export { run } from './process/run.ts';
export { createProgress, type Progress } from './progress.ts';
export type { Context, Report } from './service.ts';
export { StartFailed } from './supervisor.ts';
export { createToolBuilder } from './tools.ts';
