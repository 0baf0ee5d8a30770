/** Frames of the exec server's protocol (agents/workspace/README.md): two u32 lengths, a JSON header, a raw payload. */

export interface Frame {
  header: unknown;
  payload: Buffer;
}

/** The peer does not speak the protocol. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

const LENGTHS = 8;
/** The server's own limits: what is longer does not come from it. */
const MAX_HEADER_BYTES = 256 * 1024;
export const MAX_PAYLOAD_BYTES = 1024 * 1024;

export function encodeFrame(header: object, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const lengths = Buffer.alloc(LENGTHS);
  lengths.writeUInt32BE(json.length, 0);
  lengths.writeUInt32BE(payload.length, 4);
  return Buffer.concat([lengths, json, payload]);
}

/**
 * Puts frames together from the chunks of a stream.
 * @returns a function that takes a chunk and returns the frames completed by it
 * @throws FrameError (from that function) for lengths beyond the limits and headers that are not JSON
 */
export function frameDecoder(): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: Frame[] = [];
    while (rest.length >= LENGTHS) {
      const header = rest.readUInt32BE(0);
      const payload = rest.readUInt32BE(4);
      if (header > MAX_HEADER_BYTES || payload > MAX_PAYLOAD_BYTES)
        throw new FrameError(`a frame of ${header} + ${payload} bytes is too long`);
      const end = LENGTHS + header + payload;
      if (rest.length < end) break;
      frames.push({
        header: parse(rest.subarray(LENGTHS, LENGTHS + header)),
        payload: rest.subarray(LENGTHS + header, end),
      });
      rest = rest.subarray(end);
    }
    return frames;
  };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new FrameError('a frame header is not JSON', { cause: error });
  }
}
