import { ConnectionLostError, InvalidMessageError } from '@millwright/broker';
import { type ResultMessage, resultMessage } from '@millwright/crds';
import { silentLogger } from '@millwright/otel';
import { describe, expect, it } from 'vitest';
import { report } from './report.ts';

const result: ResultMessage = {
  type: 'result',
  kind: 'run',
  task: { uid: 'u', namespace: 'team', name: 'task' },
  attempt: 2,
  token: 't',
  outcome: 'succeeded',
  summary: 'all done',
  startedAt: new Date(0).toISOString(),
  finishedAt: new Date(1).toISOString(),
};

/** A broker whose publishes fail with these errors, one after the other, and then succeed. */
function failing(errors: Error[], closed: Promise<Error | undefined> = new Promise(() => undefined)) {
  const published: { message: unknown; messageId: string | undefined }[] = [];
  return {
    published,
    closed,
    publish(_target: unknown, _schema: unknown, message: unknown, options?: { messageId?: string }): Promise<void> {
      published.push({ message: resultMessage.parse(message), messageId: options?.messageId });
      const error = errors.shift();
      return error ? Promise.reject(error) : Promise.resolve();
    },
  };
}

describe('report', () => {
  it('publishes until it is confirmed, always under the same id', async () => {
    const broker = failing([new ConnectionLostError('a'), new ConnectionLostError('b')]);
    expect(await report(broker, result, 'trace', silentLogger)).toBe(true);
    expect(broker.published).toEqual(Array(3).fill({ message: result, messageId: 'u:2:run:result' }));
  });

  it('gets the verdict through when the rest is refused', async () => {
    const broker = failing([new InvalidMessageError('too long')]);
    expect(await report(broker, result, 'trace', silentLogger)).toBe(true);
    const { summary: _, ...bare } = result;
    expect(broker.published.at(-1)?.message).toEqual(bare);
  });

  it('ends when the broker is gone for good', async () => {
    const lost = Array.from({ length: 1_000 }, () => new ConnectionLostError('a'));
    expect(await report(failing(lost, Promise.resolve(new Error('refused'))), result, 'trace', silentLogger)).toBe(
      false,
    );
  });
});
