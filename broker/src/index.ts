export { connect } from './broker.ts';
export * from './dead-letters.ts';
export { deadLettersCommand } from './dead-letters-cli.ts';
export * from './errors.ts';
export * from './management.ts';
export {
  messageIds,
  type RetryTier,
  retryTier,
  retryTiers,
  targets,
  topology,
  WORK_QUEUE_EXPIRES_MS,
  type WorkKey,
  workQueueName,
} from './topology.ts';
export * from './types.ts';
