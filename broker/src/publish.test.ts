import { EventEmitter } from 'node:events';
import type { ChannelModel } from 'amqplib';
import { expect, test } from 'vitest';
import type { Link, LinkListener } from './connection.ts';
import { ForbiddenError } from './errors.ts';
import { createPublisher } from './publish.ts';

const target = { exchange: 'work', routingKey: 'q' };

/** A link without a broker: whatever is written is confirmed at once. */
function linkTo(written: string[]) {
  const channel = Object.assign(new EventEmitter(), {
    publish: (_: string, __: string, content: Buffer, ___: object, confirmed: (error: unknown) => void) => {
      written.push(content.toString());
      queueMicrotask(() => confirmed(null));
    },
  });
  const model = { createConfirmChannel: async () => channel } as unknown as ChannelModel;
  const state: { model: ChannelModel | undefined; blocked: boolean } = { model, blocked: false };
  let listener: LinkListener | undefined;
  const link = {
    get model() {
      return state.model;
    },
    get blocked() {
      return state.blocked;
    },
    listen: (next: LinkListener) => {
      listener = next;
      next.up(model);
      return () => undefined;
    },
  } as unknown as Link;
  return {
    link,
    block: () => {
      state.blocked = true;
    },
    unblock: () => {
      state.blocked = false;
      listener?.unblocked?.();
    },
  };
}

test('who may not publish any more sends nothing, and nothing of what had to wait', async () => {
  const written: string[] = [];
  let leads = true;
  const { link, block, unblock } = linkTo(written);
  const publisher = createPublisher({ link, log: () => undefined, mayPublish: () => leads });
  const send = (text: string) => publisher.send(target, Buffer.from(text), {}, 10_000);
  await send('as leader');
  block();
  const waiting = send('waits');
  leads = false;
  unblock();
  await expect(waiting).rejects.toThrow(ForbiddenError);
  await expect(send('too late')).rejects.toMatchObject({ arrived: 'no' });
  expect(written).toEqual(['as leader']);
  await publisher.drain(1000);
  publisher.close();
});
