import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createXeroApi, type XeroApi } from '../../xero/api.ts';
import { Secret } from '../../xero/secret.ts';
import { startScripted, whole } from './scripted-server.ts';

const page = '{"Journals":[{"JournalNumber":101},{"JournalNumber":102}]}';
let server: Awaited<ReturnType<typeof startScripted>>;
let api: XeroApi;
beforeAll(async () => {
  server = await startScripted();
  api = createXeroApi({ apiUrl: server.url, timeoutMs: 60_000, now: () => 0 });
});
afterAll(async () => {
  api.close();
  await server.close();
});

async function read(status: number, body: Buffer | string, headers: Record<string, string>) {
  server.answer(whole(status, body, headers));
  return api.journals({ tenantId: 'tenant-1', accessToken: new Secret('canary'), offset: 100 });
}

const encoded: [string, Buffer][] = [
  ['gzip', gzipSync(page)],
  // Its last member tells the size of the second half only.
  ['gzip', Buffer.concat([gzipSync(page.slice(0, 40)), gzipSync(page.slice(40))])],
  ['X-GZIP', gzipSync(page)],
  ['deflate', deflateSync(page)],
  ['br', brotliCompressSync(page)],
  ['identity', Buffer.from(page)],
];
test.each(encoded)('an answer in %s is read', async (encoding, body) => {
  const answer = await read(200, body, { 'content-encoding': encoding });
  expect(answer).toMatchObject({ kind: 'answered', count: 2, body: Buffer.from(page) });
});

const damaged: [string, string, Buffer, RegExp][] = [
  ['is cut', 'gzip', gzipSync(page).subarray(0, 30), /unpacked: unexpected end of file/],
  ['is cut by one byte', 'gzip', gzipSync(page).subarray(0, -1), /unpacked: unexpected end of file/],
  ['is not gzip', 'gzip', Buffer.from(page), /unpacked: incorrect header check/],
  ['has an encoding nobody asked for', 'zstd', Buffer.from(page), /unpacked: its encoding is zstd/],
];
test.each(damaged)('an answer that %s is fetched again', async (_how, encoding, body, problem) => {
  const answer = await read(200, body, { 'content-encoding': encoding });
  expect(answer).toMatchObject({ kind: 'unavailable', cause: 'badBody', reason: expect.stringMatching(problem) });
});

test('a fault is known by its status, though what it says cannot be unpacked', async () => {
  const headers = { 'content-encoding': 'gzip', 'retry-after': '7' };
  const answer = await read(503, gzipSync(page).subarray(0, 30), headers);
  expect(answer).toMatchObject({ kind: 'unavailable', cause: 'server', retryAfterSeconds: 7 });
});
