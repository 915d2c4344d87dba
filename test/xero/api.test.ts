import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createXeroApi, type XeroApi } from '../../xero/api.ts';
import { createConnections } from '../../xero/connections.ts';
import { readJournalPage } from '../../xero/pages.ts';
import { Secret } from '../../xero/secret.ts';
import { type Script, startScripted, whole } from './scripted-server.ts';

const canary = 'canary-a9f3c1';
const call = { tenantId: 'tenant-1', accessToken: new Secret(canary), offset: 100 };
const now = () => 0;
let server: Awaited<ReturnType<typeof startScripted>>;
let api: XeroApi;
beforeAll(async () => {
  server = await startScripted();
  api = createXeroApi({ apiUrl: server.url, timeoutMs: 60_000, now });
});
afterAll(async () => {
  api.close();
  await server.close();
});

test('amounts reach the caller as Xero wrote them', async () => {
  const text =
    '{"Journals":[{"JournalNumber":7,"JournalDate":"\\/Date(1539993600000+0000)\\/","New":1.10,' +
    '"JournalLines":[{"NetAmount":90071992547409.93,"TaxAmount":0.1000000000000000055511151231257827}]}]}';
  server.answer(whole(200, text, { 'X-MinLimit-Remaining': '59', 'xero-correlation-id': 'c-1' }));
  expect(await api.journals(call)).toEqual({
    kind: 'answered',
    body: Buffer.from(text),
    count: 1,
    numbers: [7],
    hasImpossible: false,
    firstNumber: 7,
    lastNumber: 7,
    limits: { dayRemaining: null, minuteRemaining: 59, appMinuteRemaining: null },
    correlationId: 'c-1',
  });
});

test('a GET goes out bare: no body, no content type, our name, gzip welcome', async () => {
  server.answer(whole(200, '{"Journals":[]}'));
  await api.journals({ ...call, modifiedSince: '2026-07-01T02:00:00', paymentsOnly: true });
  const sent = server.seen.at(-1);
  expect(sent).toMatchObject({ method: 'GET', url: '/api.xro/2.0/Journals?offset=100&paymentsOnly=true', body: '' });
  expect(sent?.headers).toMatchObject({
    accept: 'application/json',
    authorization: `Bearer ${canary}`,
    'xero-tenant-id': 'tenant-1',
    'if-modified-since': '2026-07-01T02:00:00.000Z',
    'user-agent': expect.stringMatching(/^daybook\/\d/),
    'accept-encoding': expect.stringContaining('gzip'),
    connection: 'keep-alive',
  });
  expect(Object.keys(sent?.headers ?? {})).not.toEqual(expect.arrayContaining(['content-type']));
  expect(sent?.headers['content-length']).toBeUndefined();
});

test('an unfiltered call says nothing of dates or bases', async () => {
  await api.journals(call);
  expect(server.seen.at(-1)?.url).toBe('/api.xro/2.0/Journals?offset=100');
  expect(server.seen.at(-1)?.headers['if-modified-since']).toBeUndefined();
});

test('reference data', async () => {
  server.answer((response, { url }) => {
    const name = url.match(/2\.0\/(\w+)/)?.[1]?.replace(/^Organisation$/, 'Organisations');
    response.end(`{"${name}":[{"Name":"1"},{"Name":"2"}]}`);
  });
  const { tenantId, accessToken } = call;
  for (const answer of [
    await api.organisation({ tenantId, accessToken }),
    await api.accounts({ tenantId, accessToken }),
    await api.trackingCategories({ tenantId, accessToken }),
  ]) {
    expect(answer).toMatchObject({ kind: 'answered', count: 2 });
  }
  expect(server.seen.at(-1)?.url).toBe('/api.xro/2.0/TrackingCategories?includeArchived=true');
});

test('twenty calls of two organisations at once never swap their tokens', async () => {
  server.answer((response, { headers }) => {
    setTimeout(() => response.end(`{"Journals":[{"JournalNumber":1,"Said":"${headers.authorization}"}]}`), 20);
  });
  const askers = Array.from({ length: 20 }, (_, index) => `${index % 2}`);
  const answers = await Promise.all(
    askers.map((id) => api.journals({ tenantId: id, accessToken: new Secret(`token-${id}`), offset: 0 })),
  );
  for (const [index, answer] of answers.entries()) {
    if (answer.kind !== 'answered') throw new Error(answer.message);
    expect(answer.body.toString()).toContain(`Bearer token-${index % 2}"`);
  }
});

test('the facts of a page: out of order, gaps, rows without a number, or with one that there cannot be', () => {
  const page = (...numbers: unknown[]) =>
    readJournalPage(Buffer.from(`{"Journals":[${numbers.map((each) => `{"JournalNumber":${each}}`)}]}`));
  const text = '{"Journals":[{"JournalNumber":30},{"JournalNumber":9},{},null,{"JournalNumber":"x"}]}';
  const [firstNumber, lastNumber, hasImpossible] = [9, 30, false];
  const facts = { kind: 'page', numbers: [9, 30], hasImpossible, firstNumber, lastNumber };
  expect(readJournalPage(Buffer.from(text))).toEqual({ ...facts, count: 5 });
  const none = { kind: 'page', numbers: [], firstNumber: null, lastNumber: null };
  expect(readJournalPage(Buffer.from('{"Journals":[]}'))).toEqual({ ...none, count: 0, hasImpossible });
  expect(page(30, 9, 2_147_483_648)).toEqual({ ...facts, count: 3, hasImpossible: true });
  expect(page('1e30')).toEqual({ ...none, count: 1, hasImpossible: true });
  expect(readJournalPage(Buffer.from('{"Journals":[{"JournalNumber":1.5}]}'))).toMatchObject({ kind: 'notAPage' });
});

test('the largest answer accepted is bounded', async () => {
  const small = createXeroApi({ apiUrl: server.url, timeoutMs: 60_000, maxBytes: 1_000, now });
  server.answer(whole(200, `{"Journals":[],"Padding":"${'x'.repeat(5_000)}"}`));
  expect(await small.journals(call)).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('1000') });
  // What is small as sent may be large once unpacked.
  const packed = gzipSync(`{"Journals":[],"Padding":"${'x'.repeat(5_000)}"}`);
  server.answer(whole(200, packed, { 'content-encoding': 'gzip' }));
  expect(packed.length).toBeLessThan(1_000);
  expect(await small.journals(call)).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('1000') });
  small.close();
});

test('no token leaves by any path, even from a server that repeats the request to us', async () => {
  const echo = `Authorization: Bearer ${canary}`;
  const scripts: Script[] = [
    ...[302, 400, 401, 403, 404, 429, 500, 503].flatMap((status) => [
      whole(status, echo),
      whole(status, JSON.stringify({ Detail: echo }), { 'x-rate-limit-problem': echo, 'xero-correlation-id': canary }),
      whole(status, '', { 'www-authenticate': echo }),
    ]),
    whole(200, `<html>${echo}</html>`),
    whole(200, echo),
    (response) => response.destroy(),
    (response) => response.socket?.resetAndDestroy(),
    () => {},
    (response) => {
      response.writeHead(200, { 'content-length': '999' });
      response.write(echo, () => response.destroy());
    },
    (response) => {
      response.socket?.end(`HTTP/1.1 999 ${canary}\r\nbad header\r\n\r\n`);
    },
  ];
  const hasty = { apiUrl: server.url, timeoutMs: 300, now };
  const impatient = createXeroApi(hasty);
  const connections = createConnections(hasty);
  const heard: unknown[] = [call];
  for (const script of scripts) {
    server.answer(script);
    heard.push(await impatient.journals(call).catch((error: unknown) => error));
    heard.push(await connections.list(call).catch((error: unknown) => error));
    heard.push(await connections.remove({ ...call, id: 'x' }).catch((error: unknown) => error));
  }
  impatient.close();
  const everything = inspect(heard, { depth: 50, showHidden: true, maxStringLength: null, maxArrayLength: null });
  expect(everything).not.toContain(canary);
  expect(JSON.stringify(heard)).not.toContain(canary);
});
