/**
 * Headers nested thousands of levels deep are legal AMQP and pass through RabbitMQ, but amqplib decodes them recursively: the stack
 * overflows, the connection ends, RabbitMQ delivers the message again, and so on without end. Anyone who may publish could stop the
 * operator like that. So a header frame that cannot be decoded is replaced by an empty one that says so, and the message is then
 * treated as any other that cannot be read.
 */
import type { ChannelModel } from 'amqplib';

export const UNREADABLE = 'x-millwright-unreadable';

const FRAME_HEADER = 2;
/** Class `basic`. */
const BASIC = 60;

/** The part of amqplib's connection (2.3.1, lib/connection.js and lib/frame.js) that is used here; it is not in its types. */
interface FrameReader {
  rest: Buffer;
  recvFrame(): unknown;
}

/** Makes a connection survive header frames that amqplib cannot decode. Throws when amqplib is not the version this was made for. */
export function tolerateUnreadableHeaders(model: ChannelModel): void {
  const connection: object = model.connection;
  if (!isFrameReader(connection)) throw new TypeError('amqplib has changed: its connection has no recvFrame');
  const original = connection.recvFrame;
  connection.recvFrame = function recvFrame(this: FrameReader) {
    const before = this.rest;
    try {
      return original.call(this);
    } catch (error) {
      // The frame is consumed by then; any other error means that the stream itself is broken.
      if (this.rest === before || !(error instanceof RangeError) || before.readUInt8(0) !== FRAME_HEADER) throw error;
      // Type (1 byte), channel (2), size (4); then class (2), weight (2), size of the body (8), flags and properties.
      return {
        id: BASIC,
        channel: before.readUInt16BE(1),
        size: Number(before.readBigUInt64BE(11)),
        fields: { headers: { [UNREADABLE]: true } },
      };
    }
  };
}

const isFrameReader = (connection: object): connection is FrameReader =>
  'recvFrame' in connection && typeof connection.recvFrame === 'function' && 'rest' in connection;
