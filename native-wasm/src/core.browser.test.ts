import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cases } from './testing/cases/index.ts';

/** Without these a browser on a machine without a network tries to reach its maker, over and over. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
const stack = new AsyncDisposableStack();
let page: Page;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-browser-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  await build({
    entryPoints: [source('./testing/browser-page.ts')],
    outfile: join(folder, 'page.js'),
    bundle: true,
    format: 'esm',
    platform: 'browser',
  });
  cpSync(source('./generated'), join(folder, 'generated'), { recursive: true });
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path === '/')
      return response.setHeader('content-type', 'text/html').end('<script type="module" src="/page.js"></script>');
    try {
      const body = readFileSync(join(folder, path));
      response
        .setHeader('content-type', types[path.slice(path.lastIndexOf('.'))] ?? 'application/octet-stream')
        .end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  stack.defer(() => new Promise((done) => server.close(() => done())));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const browser: Browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
  stack.defer(() => browser.close());
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
afterAll(() => stack.disposeAsync());

test.each(cases.map(({ name, expected }, index) => ({ name, expected, index })))(
  '$name',
  async ({ expected, index }) => {
    const answer = await page.evaluate(`window.runCase(${index})`);
    expect(JSON.parse(answer as string)).toEqual(JSON.parse(JSON.stringify(expected)));
  },
);
