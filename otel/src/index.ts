export * from './attributes.ts';
export * from './config.ts';
export * from './ids.ts';
export * from './log.ts';
export * from './register.ts';
export * from './telemetry.ts';
export * from './traceparent.ts';
