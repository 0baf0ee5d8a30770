/**
 * Requests with RabbitMQ's direct reply-to (https://www.rabbitmq.com/docs/direct-reply-to): replies come to a pseudo-queue on the
 * very channel that asked, so requests have a channel of their own, opened with the first one.
 */
import { randomUUID } from 'node:crypto';
import type { ConsumeMessage, Options } from 'amqplib';
import type { z } from 'zod';
import { decode } from './codec.ts';
import type { Link } from './connection.ts';
import { ClosedError, ConnectionLostError, InvalidMessageError, RequestTimeoutError } from './errors.ts';
import { createPublisher, type Publisher } from './publish.ts';
import type { Log, Target } from './types.ts';

const REPLY_TO = 'amq.rabbitmq.reply-to';

/** Whether an address is one that RabbitMQ made for direct replies. */
export const isReplyAddress = (address: string): boolean => address.startsWith(`${REPLY_TO}.`);

export interface Requester {
  ask<Rep>(
    target: Target,
    content: Buffer,
    properties: Options.Publish,
    replySchema: z.ZodType<Rep>,
    timeoutMs: number,
  ): Promise<Rep>;
  close(): void;
}

interface Question {
  confirmed: boolean;
  answer(content: Buffer): void;
  fail(error: Error): void;
}

export function createRequester(link: Link, log: Log, mayPublish: (() => boolean) | undefined): Requester {
  const questions = new Map<string, Question>();
  let publisher: Publisher | undefined;

  function open(): Publisher {
    return createPublisher({
      link,
      log,
      mayPublish,
      prepare: async (channel) => {
        await channel.consume(REPLY_TO, answered, { noAck: true });
      },
      // What is not confirmed yet is rejected or sent later by the publisher itself; what is confirmed will never be answered here.
      onChannelLost: (reason) => {
        for (const question of [...questions.values()]) {
          if (question.confirmed) question.fail(new ConnectionLostError(reason));
        }
      },
    });
  }

  function answered(reply: ConsumeMessage | null): void {
    // Unknown ids are answers that came too late.
    if (reply) questions.get(String(reply.properties.correlationId))?.answer(reply.content);
  }

  return {
    ask<Rep>(
      target: Target,
      content: Buffer,
      properties: Options.Publish,
      replySchema: z.ZodType<Rep>,
      timeoutMs: number,
    ): Promise<Rep> {
      publisher ??= open();
      const via = publisher;
      const correlationId = randomUUID();
      return new Promise<Rep>((resolve, reject) => {
        const settle = () => {
          clearTimeout(timer);
          questions.delete(correlationId);
        };
        const question: Question = {
          confirmed: false,
          answer(reply) {
            settle();
            const decoded = decode(replySchema, reply);
            if (decoded.ok) resolve(decoded.message);
            else reject(new InvalidMessageError(`reply is ${decoded.reason}`));
          },
          fail(error) {
            settle();
            reject(error);
          },
        };
        const timer = setTimeout(
          () => question.fail(new RequestTimeoutError(`no answer from ${target.exchange} within ${timeoutMs} ms`)),
          timeoutMs,
        );
        questions.set(correlationId, question);
        via.send(target, content, { ...properties, correlationId, replyTo: REPLY_TO }, timeoutMs).then(
          () => {
            question.confirmed = true;
          },
          (error: Error) => question.fail(error),
        );
      });
    },
    close() {
      publisher?.close();
      for (const question of [...questions.values()]) question.fail(new ClosedError('unknown'));
    },
  };
}
