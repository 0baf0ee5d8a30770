import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { buildExecServer, type ExecServer, startExecServer } from '../testing/exec-server.ts';
import { connectWorkspace, type Workspace, type WorkspaceError, WorkspaceLostError } from './client.ts';
import { encodeFrame } from './frames.ts';

let program: string;
let folder: string;
let server: ExecServer;
let workspace: Workspace;

beforeAll(() => {
  program = buildExecServer();
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-client-'));
  server = startExecServer(program, folder);
  workspace = await connectWorkspace({ socket: server.socket, timeoutMs: 10_000 });
});
afterEach(async () => {
  server.kill('SIGKILL');
  await server.ended;
  rmSync(folder, { recursive: true });
});

const limits = { timeoutMs: 20_000, outputBytes: 100_000, killGraceMs: 1_000 };

it('runs commands and hands on their output as it comes', async () => {
  const chunks: string[] = [];
  const script = 'cat; echo oops >&2; until [ -e go ]; do sleep 0.02; done; echo end; exit 3';
  const result = await workspace.exec({
    command: { script },
    env: { A: '1' },
    stdin: 'in\n',
    ...limits,
    onOutput(stream, chunk) {
      chunks.push(`${stream} ${chunk}`);
      // Only what is seen before the end can bring the end about.
      if (stream === 'stderr') void workspace.write('go', '');
    },
  });
  expect(result).toMatchObject({ cause: 'exited', code: 3, signal: null, stdoutBytes: 7, truncated: false });
  expect(chunks.sort()).toEqual(['stderr oops\n', 'stdout end\n', 'stdout in\n']);
});

it('ends a command when the signal is aborted, and starts none after that', async () => {
  const abort = new AbortController();
  const running = workspace.exec({
    command: { script: 'echo on; sleep 100' },
    ...limits,
    signal: abort.signal,
    onOutput: () => abort.abort(new Error('enough')),
  });
  expect(await running).toMatchObject({ cause: 'killed', code: null, signal: 15 });
  await expect(workspace.exec({ command: { argv: ['true'] }, ...limits, signal: abort.signal })).rejects.toThrow(
    'enough',
  );
});

it('reads, writes, lists and tells kinds, within the workspace', async () => {
  symlinkSync('/etc', join(server.directory, 'out'));
  await workspace.write('a/b.txt', 'hello', { parents: true, mode: 0o600 });
  await workspace.write('a/b.txt', ' again', { append: true });
  expect(await workspace.read('a/b.txt', { offset: 6 })).toEqual({ content: Buffer.from('again'), bytes: 11 });
  expect(await workspace.stat('a/b.txt')).toMatchObject({ name: 'b.txt', kind: 'file', bytes: 11, mode: 0o600 });
  expect((await workspace.list('')).entries.map(({ name, kind }) => [name, kind])).toEqual([
    ['a', 'directory'],
    ['out', 'symlink'],
  ]);
  const code = (promise: Promise<unknown>) =>
    promise.then(
      () => 'none',
      (error: WorkspaceError) => error.code,
    );
  expect(await code(workspace.read('out/passwd'))).toBe('outsideWorkspace');
  expect(await code(workspace.write('../x', ''))).toBe('outsideWorkspace');
  expect(await code(workspace.read('missing'))).toBe('notFound');
  expect(await code(workspace.write('big', Buffer.alloc(2 ** 20 + 1)))).toBe('invalidRequest');
  expect(await code(workspace.exec({ command: { argv: ['no-such-program'] }, ...limits }))).toBe('spawnFailed');
});

it('says that control is taken', async () => {
  const second = connectWorkspace({ socket: server.socket, timeoutMs: 1_000 });
  await expect(second).rejects.toMatchObject({ name: 'WorkspaceError', code: 'busy' });
});

it('fails everything under way when the server dies', async () => {
  const running = workspace.exec({ command: { script: 'sleep 100' }, ...limits });
  server.kill('SIGKILL');
  await expect(running).rejects.toThrow(WorkspaceLostError);
  expect(workspace.lost.aborted).toBe(true);
  await expect(workspace.stat('')).rejects.toThrow(WorkspaceLostError);
});

it('ends the server', async () => {
  await workspace.shutdown();
  expect(await server.ended).toBe(0);
});

it.each([
  ['nothing', undefined],
  ['a greeting of another version', encodeFrame({ type: 'hello', version: 99, root: '/', maxExecs: 1 })],
  ['nonsense', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
])('does not take a server that says %s', async (_name, bytes) => {
  const socket = join(folder, 'impostor.sock');
  const impostor = createServer((connection) => {
    connection.on('error', () => undefined);
    if (bytes) connection.write(bytes);
  });
  await new Promise<void>((resolve) => impostor.listen(socket, resolve));
  await expect(connectWorkspace({ socket, timeoutMs: 1_000 })).rejects.toThrow(WorkspaceLostError);
  impostor.close();
});

it('waits for a server only so long', async () => {
  await expect(connectWorkspace({ socket: join(folder, 'none'), timeoutMs: 200 })).rejects.toThrow(/nothing listens/);
});
