import { afterAll, beforeAll, expect, test } from 'vitest';
import { createXeroApi, type JournalsAnswer, type XeroApi } from '../../xero/api.ts';
import type { XeroFault } from '../../xero/faults.ts';
import { Secret } from '../../xero/secret.ts';
import { problem, type Script, startScripted, whole } from './scripted-server.ts';

const now = () => Date.parse('2026-11-22T00:00:00Z');
const call = { tenantId: '4da2a0b1-0000-4000-8000-000000000001', accessToken: new Secret('opaque-1'), offset: 0 };
let server: Awaited<ReturnType<typeof startScripted>>;
let api: XeroApi;
beforeAll(async () => {
  server = await startScripted();
  api = createXeroApi({ apiUrl: server.url, timeoutMs: 2_000, now });
});
afterAll(async () => {
  api.close();
  await server.close();
});

const json = { 'content-type': 'application/json' };
const page = '{"Journals":[{"JournalNumber":1},{"JournalNumber":2}]}';
const validation = JSON.stringify({
  ErrorNumber: 10,
  Type: 'ValidationException',
  Message: 'A validation exception occurred',
  Elements: [{ ValidationErrors: [{ Message: 'offset is bad' }, { Message: 'so is the date' }] }],
});
const limited = (headers: Record<string, string>) => whole(429, '', headers);
const spent = (window: string, retryAfter?: string) =>
  limited({ 'X-Rate-Limit-Problem': window, ...(retryAfter === undefined ? {} : { 'Retry-After': retryAfter }) });
const undated =
  (script: Script): Script =>
  (response, request) => {
    response.sendDate = false;
    script(response, request);
  };
const throttled = (window: string, retryAfterSeconds: number | null) => ({
  kind: 'throttled',
  window,
  retryAfterSeconds,
});
const down = (cause: string, reason: RegExp, retryAfterSeconds: number | null = null) => ({
  kind: 'unavailable',
  cause,
  reason: expect.stringMatching(reason),
  retryAfterSeconds,
});
const refused = (status: number, message = /./) => ({
  kind: 'refused',
  status,
  message: expect.stringMatching(message),
});

const table: [string, Script, object][] = [
  ['validation', whole(400, validation, json), refused(400, /offset is bad; so is the date/)],
  [
    'other 400',
    whole(400, '{"Type":"QueryParseException","Message":"No property"}', json),
    refused(400, /No property/),
  ],
  ['expired', whole(401, problem(401, 'TokenExpired: token expired at 02/20/2025 08:32:50')), { kind: 'tokenExpired' }],
  ['expired, lower case', whole(401, '{"detail":"tokenExpired: at 1"}'), { kind: 'tokenExpired' }],
  [
    'expired, challenge only',
    whole(401, '', { 'WWW-Authenticate': 'Bearer error="invalid_token", error_description="The token expired at x"' }),
    { kind: 'tokenExpired' },
  ],
  ['rejected', whole(401, problem(401, 'AuthenticationUnsuccessful')), { kind: 'tokenRejected' }],
  ['rejected, no body', whole(401, ''), { kind: 'tokenRejected' }],
  [
    'no tier',
    whole(401, problem(401, 'AuthorizationUnsuccessful')),
    { kind: 'notEntitled', message: expect.stringMatching(/Advanced tier.*accounting\.journals\.read.*role/) },
  ],
  ['no scope, Xero’s spelling', whole(401, '', { 'WWW-Authenticate': 'insufficent_scope' }), { kind: 'notEntitled' }],
  [
    'no scope, the RFC’s',
    whole(403, '', { 'WWW-Authenticate': 'error="insufficient_scope"' }),
    { kind: 'notEntitled' },
  ],
  ['no tier as 403', whole(403, problem(403, 'AuthorizationUnsuccessful')), { kind: 'notEntitled' }],
  ['role', whole(403, problem(403, "User doesn't have permission to access the resource")), { kind: 'notEntitled' }],
  ['role, plain', whole(403, "User doesn't have permission to access the resource"), { kind: 'notEntitled' }],
  [
    'disconnected',
    whole(403, problem(403, 'AuthenticationUnsuccessful')),
    { kind: 'disconnected', detail: 'AuthenticationUnsuccessful', message: expect.stringMatching(/daybook connect/) },
  ],
  [
    'disconnected, lower case',
    whole(403, '{"title":"Forbidden","detail":"AuthenticationUnsuccessful"}'),
    { kind: 'disconnected' },
  ],
  ['forbidden, empty', whole(403, ''), { kind: 'disconnected' }],
  ['no tier, in XML', whole(401, '<P><Detail>AuthorizationUnsuccessful</Detail></P>'), { kind: 'notEntitled' }],
  ['not connected, in XML', whole(403, '<P><Detail>AuthenticationUnsuccessful</Detail></P>'), { kind: 'disconnected' }],
  [
    'refused, in XML',
    whole(400, '<ApiException><ErrorNumber>10</ErrorNumber><Message>offset is bad</Message></ApiException>'),
    refused(400, /offset is bad/),
  ],
  [
    'forbidden by a content network, in XML',
    whole(403, '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'),
    down('badBody', /markup/),
  ],
  ['forbidden by something on the way', whole(403, '<html>Request blocked</html>'), down('badBody', /markup/)],
  ['unknown id', whole(404, 'The resource cannot be found'), refused(404)],
  ['bad header', whole(412, 'One or more conditions given in the request header fields were invalid'), refused(412)],
  ['501', whole(501, ''), refused(501)],
  ['304 not asked for', whole(304, ''), down('badBody', /304/)],
  ['redirection', whole(302, '', { location: 'http://127.0.0.1:9/steal' }), refused(302, /XERO_API_URL/)],
  ['minute', spent('minute', '27'), throttled('minute', 27)],
  ['day', spent('day', '66975'), throttled('day', 66975)],
  ['DayLimit', spent('DayLimit', '5'), throttled('day', 5)],
  ['Daily', spent('Daily', '5'), throttled('day', 5)],
  ['appminute', spent('appminute', '5'), throttled('appMinute', 5)],
  ['AppMinute', spent('AppMinute'), throttled('appMinute', null)],
  ['concurrent', spent('concurrent'), throttled('concurrent', null)],
  [
    'Retry-After as a date, by our clock',
    undated(spent('minute', 'Sun, 22 Nov 2026 00:00:30 GMT')),
    throttled('minute', 30),
  ],
  [
    'Retry-After as a date, by Xero’s clock',
    limited({
      'X-Rate-Limit-Problem': 'minute',
      'Retry-After': 'Sun, 22 Nov 2020 00:00:30 GMT',
      Date: 'Sun, 22 Nov 2020 00:00:00 GMT',
    }),
    throttled('minute', 30),
  ],
  ['Retry-After of 0', spent('minute', '0'), throttled('minute', 1)],
  ['Retry-After with a fraction', spent('minute', '1.2'), throttled('minute', 2)],
  ['Retry-After below 0', spent('minute', '-5'), throttled('minute', null)],
  ['Retry-After of a year', spent('day', '31536000'), throttled('day', null)],
  ['Retry-After of garbage', spent('minute', 'soon'), throttled('minute', null)],
  [
    'unnamed, day spent',
    limited({ 'X-DayLimit-Remaining': '0', 'X-MinLimit-Remaining': '60' }),
    throttled('day', null),
  ],
  [
    'unnamed, minute spent',
    limited({ 'X-DayLimit-Remaining': '9', 'X-MinLimit-Remaining': '0' }),
    throttled('minute', null),
  ],
  ['unnamed, app spent', limited({ 'X-AppMinLimit-Remaining': '0' }), throttled('appMinute', null)],
  ['unnamed, long wait', limited({ 'Retry-After': '4000' }), throttled('day', 4000)],
  ['unnamed, short wait', limited({ 'Retry-After': '9' }), throttled('minute', 9)],
  ['unnamed, silent', limited({}), throttled('concurrent', null)],
  ['offline', whole(503, 'The Organisation is offline'), down('offline', /offline/)],
  [
    'offline, with a time',
    whole(503, 'The Organisation is offline', { 'Retry-After': '40' }),
    down('offline', /offline/, 40),
  ],
  ['maintenance', whole(503, 'The Xero API is currently offline for maintenance'), down('maintenance', /maintenance/)],
  [
    '503',
    whole(503, 'The Xero API is temporarily unavailable', { 'Retry-After': '7' }),
    down('server', /unavailable/, 7),
  ],
  ['500', whole(500, problem(500, 'An error occurred in Xero.')), down('server', /500: An error occurred in Xero/)],
  [
    '500, with the number by which Xero’s support finds the call',
    whole(500, '', { 'xero-correlation-id': 'c-9' }),
    { kind: 'unavailable', message: expect.stringMatching(/ Xero's number for the call: c-9\.$/) },
  ],
  ['500, empty', whole(500, ''), down('server', /500/)],
  ['502, markup', whole(502, '<html>bad gateway</html>'), down('server', /\(502\)/)],
  ['504', whole(504, ''), down('server', /504/)],
  ['markup with 200', whole(200, '<html>hello</html>'), down('badBody', /markup/)],
  ['XML with 200', whole(200, '<?xml version="1.0"?><Response><Journals/></Response>'), down('badBody', /markup/)],
  ['empty with 200', whole(200, ''), down('badBody', /empty/)],
  ['204', whole(204, ''), down('badBody', /empty/)],
  ['cut JSON', whole(200, page.slice(0, -5), json), down('badBody', /not complete JSON/)],
  ['no array', whole(200, '{"Status":"OK"}', json), down('badBody', /no array Journals/)],
  ['array is null', whole(200, '{"Journals":null}', json), down('badBody', /no array Journals/)],
  ['JSON null', whole(200, 'null', json), down('badBody', /no array Journals/)],
  ['no numbers', whole(200, '{"Journals":[{}]}', json), down('badBody', /JournalNumber/)],
  [
    'cut inside the body',
    (response) => {
      response.writeHead(200, { ...json, 'content-length': '500' });
      response.write(page.slice(0, 20), () => response.destroy());
    },
    down('badBody', /broke inside/),
  ],
  ['reset', (response) => response.socket?.resetAndDestroy(), down('network', /./)],
  ['closed', (response) => response.destroy(), down('network', /hang up|reset/)],
  ['silent', () => {}, down('timeout', / 2 s/)],
  [
    'dripping',
    (response) => {
      response.writeHead(200, json);
      const drip = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(drip));
    },
    down('timeout', / 2 s/),
  ],
  [
    'a byte order mark, which is no part of what is stored',
    whole(200, `\ufeff${page}`),
    { kind: 'answered', count: 2, body: Buffer.from(page) },
  ],
  [
    'no headers at all',
    whole(200, page),
    { kind: 'answered', limits: { dayRemaining: null, minuteRemaining: null, appMinuteRemaining: null } },
  ],
];

test.each(table)('%s', async (_name, script, expected) => {
  server.answer(script);
  const answer: JournalsAnswer = await api.journals(call);
  expect(answer).toMatchObject(expected);
  if (answer.kind !== 'answered') expect((answer satisfies XeroFault).message).toMatch(/^[A-Z].*\.$/s);
});

test('304 to If-Modified-Since is an answer without journals', async () => {
  server.answer(whole(304, '', { 'X-DayLimit-Remaining': '77' }));
  const answer = await api.journals({ ...call, modifiedSince: '2026-07-01' });
  expect(answer).toMatchObject({
    kind: 'answered',
    count: 0,
    body: Buffer.from('{"Journals":[]}'),
    limits: { dayRemaining: 77 },
  });
});

test('nobody listens', async () => {
  const nobody = createXeroApi({ apiUrl: 'http://127.0.0.1:9', timeoutMs: 2_000, now });
  expect(await nobody.journals(call)).toMatchObject(down('network', /ECONNREFUSED/));
});

test('a caller that stops waiting gets its own reason', async () => {
  server.answer(() => {});
  const stop = new AbortController();
  const answer = api.journals({ ...call, signal: stop.signal });
  setTimeout(() => stop.abort(new Error('cancelled by the workflow')), 50);
  await expect(answer).rejects.toThrow('cancelled by the workflow');
});
