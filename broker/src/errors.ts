import { z } from 'zod';

/** Every error of this module; told apart by class, never by text. */
export class BrokerError extends Error {
  override name = 'BrokerError';
}

/** The broker refuses us for good: wrong credentials, no such vhost, a queue that exists with other arguments. */
export class RefusedError extends BrokerError {
  override name = 'RefusedError';

  /** AMQP's reply code, if there was one: 403 no permission, 404 not found, 406 other arguments. */
  get code(): number | undefined {
    const { cause } = this;
    return cause instanceof Error && 'code' in cause && typeof cause.code === 'number' ? cause.code : undefined;
  }
}

/** A message that its schema or the size limit does not allow. Sending it again cannot help. */
export class InvalidMessageError extends BrokerError {
  override name = 'InvalidMessageError';

  static of(error: z.core.$ZodError, what: string): InvalidMessageError {
    return new InvalidMessageError(`${what} is not valid: ${z.prettifyError(error)}`, { cause: error });
  }
}

/** A message over 64 KiB. */
export class OversizedError extends InvalidMessageError {
  override name = 'OversizedError';
  /** Path of the part that weighs most, such as `commands.prompt`; empty for a message that is not an object. */
  readonly field: string;
  readonly bytes: number;

  constructor(bytes: number, limit: number, field: string) {
    super(
      `message has ${bytes} bytes, at most ${limit} are allowed; most of it is in "${field}": store that as an artifact and send its digest`,
    );
    this.field = field;
    this.bytes = bytes;
  }
}

/**
 * A message whose arrival was not confirmed. `arrived` says what is known: `no` means it certainly did not, `unknown` that it
 * may have. Publishing again under the same message id is right in both cases.
 */
export class PublishError extends BrokerError {
  override name = 'PublishError';
  readonly arrived: 'no' | 'unknown';

  constructor(message: string, arrived: 'no' | 'unknown', options?: ErrorOptions) {
    super(message, options);
    this.arrived = arrived;
  }
}

/** No queue is bound for the target: the broker gave the message back (`mandatory`). */
export class UnroutableError extends PublishError {
  override name = 'UnroutableError';

  constructor(exchange: string, routingKey: string) {
    super(`no queue takes messages from exchange "${exchange}" with routing key "${routingKey}"`, 'no');
  }
}

/** Properties that AMQP cannot carry, so that nothing was sent. */
export class UnencodableError extends PublishError {
  override name = 'UnencodableError';

  constructor(cause: unknown) {
    super(`cannot be written: ${messageOf(cause)}`, 'no', { cause });
  }
}

/** Whoever may publish decided that this process may not (`BrokerOptions.mayPublish`). */
export class ForbiddenError extends PublishError {
  override name = 'ForbiddenError';

  constructor() {
    super('this process may not publish', 'no');
  }
}

/** The connection or channel went away between sending and confirmation. */
export class ConnectionLostError extends PublishError {
  override name = 'ConnectionLostError';

  constructor(reason: string) {
    super(`connection to the broker lost before the confirmation: ${reason}`, 'unknown');
  }
}

/** A request that was sent but not answered in time. */
export class RequestTimeoutError extends BrokerError {
  override name = 'RequestTimeoutError';
}

/** The broker object was closed. */
export class ClosedError extends PublishError {
  override name = 'ClosedError';

  constructor(arrived: 'no' | 'unknown' = 'no') {
    super('the broker connection was closed', arrived);
  }
}

/** What was thrown, as a text for logs and reasons. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
