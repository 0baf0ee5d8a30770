import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PushCommand, PushFormatError, pktLine, readPushCommands, refusePush } from './push-commands.ts';

const flush = Buffer.from('0000');
const zero = '0'.repeat(40);
const hash = (digit: string) => digit.repeat(40);
const command = (ref: string, newHash = hash('a'), oldHash = zero) => `${oldHash} ${newHash} ${ref}`;

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('reading the commands of a push', () => {
  it('gives the same commands however the bytes arrive, and keeps the pack', async () => {
    const ref = fc.stringMatching(/^refs\/[a-z0-9/]{1,40}$/);
    const digest = fc.stringMatching(/^[0-9a-f]{40}$/);
    const commands = fc.array(fc.record({ oldHash: digest, newHash: digest, ref }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        commands,
        fc.uint8Array({ maxLength: 200 }),
        fc.integer({ min: 1, max: 64 }),
        async (wanted, pack, size) => {
          const lines = wanted.map((one: PushCommand, index) =>
            pktLine(`${one.oldHash} ${one.newHash} ${one.ref}${index === 0 ? '\0report-status side-band-64k' : ''}\n`),
          );
          const bytes = Buffer.concat([...lines, flush, pack]);
          const source = inPieces(bytes, size);
          const start = await readPushCommands(source);
          expect(start.commands).toEqual(wanted);
          const rest: Buffer[] = [];
          for await (const chunk of source) rest.push(chunk);
          expect(Buffer.concat([start.read, ...rest]).equals(bytes)).toBe(true);
        },
      ),
    );
  });

  it('answers any other bytes with PushFormatError, and nothing worse', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 300 }), async (bytes, size) => {
        try {
          await readPushCommands(inPieces(Buffer.from(bytes), size));
        } catch (error) {
          expect(error).toBeInstanceOf(PushFormatError);
        }
      }),
    );
  });

  const refused: [string, Buffer[], RegExp][] = [
    ['nothing', [], /ends within/],
    ['a cut line', [Buffer.from('0040abc')], /ends within/],
    ['a length that cannot be', [Buffer.from('0003'), flush], /impossible length/],
    ['an empty line', [Buffer.from('0004'), flush], /impossible length/],
    ['no lengths', [Buffer.from('PACK....')], /not made of pkt-lines/],
    ['a command with a space in its ref', [pktLine(command('refs/attempts/a b')), flush], /something other/],
    ['a hash in capitals', [pktLine(command('refs/x', 'A'.repeat(40))), flush], /something other/],
    ['a signed push', [pktLine(`${command('refs/x')}\0push-cert=nonce`), flush], /push-cert=nonce is not supported/],
    ['push options', [pktLine(`${command('refs/x')}\0report-status push-options`), flush], /push-options is not/],
    [
      'capabilities twice',
      [pktLine(`${command('refs/x')}\0a`), pktLine(`${command('refs/y')}\0b`), flush],
      /only the first/,
    ],
    ['a push certificate', [pktLine('push-cert\0atomic'), flush], /something other/],
    [
      'more commands than a push has',
      Array.from({ length: 900 }, () => pktLine(command('refs/x'))),
      /too many commands/,
    ],
  ];
  it.each(refused)('refuses %s', async (_, parts, reason) => {
    const failure = readPushCommands(inPieces(Buffer.concat(parts), 1000));
    await expect(failure).rejects.toBeInstanceOf(PushFormatError);
    await expect(failure).rejects.toThrow(reason);
  });

  it('passes over the lines of a shallow clone', async () => {
    const bytes = Buffer.concat([
      pktLine(`shallow ${hash('b')}`),
      pktLine(`${command('refs/x')}\0report-status`),
      flush,
    ]);
    const start = await readPushCommands(inPieces(bytes, 7));
    expect(start.commands.map(({ ref }) => ref)).toEqual(['refs/x']);
    expect(start.capabilities).toEqual(['report-status']);
  });
});

it('refuses a push with a line for each ref, and no line breaks of its own', () => {
  const commands = [{ oldHash: zero, newHash: hash('a'), ref: 'refs/x' }];
  const plain = refusePush({ commands, capabilities: ['report-status'], read: Buffer.alloc(0) }, 'a\nb');
  expect(plain.toString()).toBe('000eunpack ok\n0012ng refs/x a b\n0000');
});
