import { execFile, spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const author = {
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
};

/** The environment of a git that a person or a sandbox uses: nothing of the machine's configuration. */
const clientEnvironment: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  ...author,
};

/** Runs an ordinary git, as a client would. Resolves with stdout, trimmed. Rejects with an error that has `stderr`. */
export async function clientGit(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', args, { cwd, env: clientEnvironment, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

/** Like clientGit, for a command that must fail: resolves with what it said. */
export async function failingGit(cwd: string, ...args: string[]): Promise<string> {
  try {
    await clientGit(cwd, ...args);
  } catch (error) {
    return String((error as { stderr?: string }).stderr);
  }
  throw new Error(`git ${args.join(' ')} was expected to fail`);
}

/** Writes files, commits them, and resolves with the commit. */
export async function commit(cwd: string, files: Record<string, string>, message = 'Change'): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true });
    await writeFile(join(cwd, name), content);
  }
  await clientGit(cwd, 'add', '-A');
  await clientGit(cwd, 'commit', '-q', '-m', message);
  return clientGit(cwd, 'rev-parse', 'HEAD');
}

/** A forge: git's own http-backend over a folder of bare repositories, behind Basic authentication. */
export interface Forge {
  url: string;
  credentials: { username: string; password: string };
  /** Makes `<name>.git` with one commit on main; resolves with its clone URL, its folder, and a work tree to commit in. */
  repository(name: string): Promise<{ url: string; bare: string; work: string; head: string }>;
  /** Answers every request with this status until it is undefined again. */
  failWith(status: number | undefined): void;
  /** Answers no request from now on. */
  hang(): void;
  /** Requests answered so far. */
  requests(): number;
  close(): Promise<void>;
}

async function httpBackend(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://forge');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...clientEnvironment,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.searchParams.toString(),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'],
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
      GIT_PROTOCOL: request.headers['git-protocol']?.toString(),
      REMOTE_USER: 'someone',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => {});
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  const output = Buffer.concat(chunks);
  const end = output.indexOf('\r\n\r\n');
  for (const line of output.toString('latin1', 0, end).split('\r\n')) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.end(output.subarray(end + 4));
}

/** Starts a forge in a folder of its own. Close it at the end. */
export async function startForge(folder: string): Promise<Forge> {
  const credentials = { username: 'bot', password: 's3cret-token' };
  const expected = `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  const root = join(folder, 'repositories');
  await mkdir(root, { recursive: true });
  let failure: number | undefined;
  let hangs = false;
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (hangs) return;
    if (failure !== undefined) response.writeHead(failure).end('the forge is ill\n');
    else if (request.headers.authorization !== expected)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="forge"' }).end();
    else httpBackend(root, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    credentials,
    repository: async (name) => {
      const bare = join(root, `${name}.git`);
      const work = join(folder, 'work', name);
      await clientGit(folder, 'init', '-q', '--bare', '-b', 'main', bare);
      await clientGit(folder, '-C', bare, 'config', 'http.receivepack', 'true');
      await clientGit(folder, 'init', '-q', '-b', 'main', work);
      await clientGit(work, 'remote', 'add', 'origin', bare);
      const head = await commit(work, { 'README.md': `# ${name}\n` }, 'First');
      await clientGit(work, 'push', '-q', 'origin', 'main');
      return { url: `${url}/${name}.git`, bare, work, head };
    },
    failWith: (status) => {
      failure = status;
    },
    hang: () => {
      hangs = true;
    },
    requests: () => requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
