/**
 * Names of span and resource attributes. Those outside `millwright.` are OpenTelemetry's semantic conventions, written out
 * here because their package marks most of them as unstable and renames them between releases.
 */
export const attr = {
  serviceName: 'service.name',
  serviceVersion: 'service.version',
  serviceInstanceId: 'service.instance.id',

  namespace: 'k8s.namespace.name',
  podName: 'k8s.pod.name',
  podUid: 'k8s.pod.uid',
  jobName: 'k8s.job.name',

  messagingSystem: 'messaging.system',
  messagingOperationName: 'messaging.operation.name',
  messagingOperationType: 'messaging.operation.type',
  messagingDestination: 'messaging.destination.name',
  messagingMessageId: 'messaging.message.id',
  messagingRoutingKey: 'messaging.rabbitmq.destination.routing_key',

  genAiOperation: 'gen_ai.operation.name',
  genAiProvider: 'gen_ai.provider.name',
  genAiAgent: 'gen_ai.agent.name',
  genAiRequestModel: 'gen_ai.request.model',
  genAiInputTokens: 'gen_ai.usage.input_tokens',
  genAiOutputTokens: 'gen_ai.usage.output_tokens',
  genAiCachedInputTokens: 'gen_ai.usage.cache_read.input_tokens',
  genAiToolCallId: 'gen_ai.tool.call.id',

  httpMethod: 'http.request.method',
  httpStatus: 'http.response.status_code',
  httpRoute: 'http.route',
  urlPath: 'url.path',
  errorType: 'error.type',
  pipelineRunId: 'cicd.pipeline.run.id',

  project: 'millwright.project',
  workflow: 'millwright.workflow.name',
  workflowUid: 'millwright.workflow.uid',
  task: 'millwright.task.name',
  taskUid: 'millwright.task.uid',
  attempt: 'millwright.attempt',
  phase: 'millwright.phase',
  reason: 'millwright.reason',
  pool: 'millwright.pool',
  capabilities: 'millwright.capabilities',
  epoch: 'millwright.leader.epoch',
  commit: 'millwright.commit',
  costUsd: 'millwright.cost.usd',
  controller: 'millwright.reconcile.controller',
  key: 'millwright.reconcile.key',
  outcome: 'millwright.reconcile.outcome',
} as const;

/** What is done to a message: `send` on publish, `receive` on delivery, `process` by a handler, `settle` on ack or nack. */
export type MessagingOperation = 'send' | 'receive' | 'process' | 'settle';

/** Name and attributes of a span about one message (https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/). */
export function messagingSpan(message: {
  operation: MessagingOperation;
  /** The client's own name for it, such as `publish` or `ack`; the operation by default. */
  operationName?: string;
  /** The exchange or queue. */
  destination: string;
  messageId?: string;
  routingKey?: string;
}): { name: string; attributes: Record<string, string> } {
  const operationName = message.operationName ?? message.operation;
  return {
    name: `${operationName} ${message.destination}`,
    attributes: {
      [attr.messagingSystem]: 'rabbitmq',
      [attr.messagingOperationName]: operationName,
      [attr.messagingOperationType]: message.operation,
      [attr.messagingDestination]: message.destination,
      ...(message.messageId === undefined ? {} : { [attr.messagingMessageId]: message.messageId }),
      ...(message.routingKey === undefined ? {} : { [attr.messagingRoutingKey]: message.routingKey }),
    },
  };
}
