import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { UploadError, uploadArtifact } from './artifacts.ts';

const answers: number[] = [];
let requests: Record<'method' | 'url' | 'authorization' | 'traceparent', unknown>[] = [];
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const server = createServer((request, response) => {
  const { method, url, headers } = request;
  requests.push({ method, url, authorization: headers.authorization, traceparent: headers.traceparent });
  request.resume().on('end', () => response.writeHead(answers.shift() ?? 201).end('because'));
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => server.close());
beforeEach(() => {
  requests = [];
  answers.length = 0;
});

const artifact = { name: 'log', mediaType: 'text/plain', content: Buffer.from('hello') };
const digest = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
const upload = () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/artifacts`;
  return uploadArtifact({ url, token: 'tok', traceparent }, artifact, AbortSignal.timeout(20_000));
};

it('stores a content under its digest, also when the gateway is away at first', async () => {
  answers.push(503, 500, 201);
  expect(await upload()).toEqual({ name: 'log', digest, mediaType: 'text/plain', bytes: 5 });
  expect(requests).toHaveLength(3);
  expect(requests[0]).toEqual({ method: 'PUT', url: `/artifacts/${digest}`, authorization: 'Bearer tok', traceparent });
});

it('gives up at once when it is refused', async () => {
  answers.push(413);
  await expect(upload()).rejects.toThrow(UploadError);
  expect(requests).toHaveLength(1);
});

it('gives up when nobody is there in time', async () => {
  const store = { url: 'http://127.0.0.1:1', token: 'tok', traceparent };
  await expect(uploadArtifact(store, artifact, AbortSignal.timeout(100))).rejects.toThrow(UploadError);
});
