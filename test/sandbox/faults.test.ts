import { describe, expect, it } from 'vitest';
import type { FaultAction } from '../../sandbox/server.ts';
import { caller, refresh, sandboxFor } from './xero-client.ts';

/** The status, or how the connection failed. */
async function outcome(call: Promise<{ status: number }>): Promise<number | string> {
  try {
    return (await call).status;
  } catch (error) {
    return error instanceof SyntaxError ? 'bad JSON' : 'network';
  }
}

describe('scripted faults', () => {
  const answers: [FaultAction, number | string, string | RegExp][] = [
    [{ kind: 'problem500' }, 500, /"Title":"An error occurred"/],
    [{ kind: 'html500' }, 500, /<html>/],
    [{ kind: 'empty500' }, 500, ''],
    [{ kind: 'html502' }, 502, /<html>/],
    [{ kind: 'html200' }, 200, /<html>/],
    [{ kind: 'offline503' }, 503, 'The Organisation is offline'],
    [{ kind: 'maintenance503' }, 503, /offline for maintenance/],
    [{ kind: 'tokenExpired' }, 401, /TokenExpired: token expired at/],
    [{ kind: 'authenticationUnsuccessful' }, 401, /"Detail":"AuthenticationUnsuccessful"/],
    [{ kind: 'authorizationUnsuccessful' }, 401, /"Detail":"AuthorizationUnsuccessful"/],
    [{ kind: 'forbiddenDisconnected' }, 403, /"Detail":"AuthenticationUnsuccessful"/],
    [{ kind: 'forbiddenRole' }, 403, /User doesn't have permission/],
    [{ kind: 'notFound' }, 404, /cannot be found/],
    [{ kind: 'notModified' }, 304, ''],
    [{ kind: 'answer', status: 418, body: '\ufefftea' }, 418, 'tea'],
  ];
  it.each(answers)('$kind answers so once, and the call after it is good', async (action, status, body) => {
    const sandbox = await sandboxFor();
    const get = caller(sandbox);
    sandbox.faults.add({ match: { path: 'Journals', times: 1 }, do: action });
    const struck = await fetchText(sandbox.apiUrl, get);
    expect(struck.status).toBe(status);
    if (typeof body === 'string') expect(struck.text).toBe(body);
    else expect(struck.text).toMatch(body);
    expect(struck.headers.get('X-MinLimit-Remaining')).toBe('59');
    expect((await get('Journals')).status).toBe(200);
    expect(sandbox.calls.all().map((each) => each.fault)).toEqual([action.kind, null]);
  });

  /** Through `get`, but without reading the body as JSON: half of these say JSON and are not. */
  async function fetchText(_: string, get: ReturnType<typeof caller>) {
    return get('Journals');
  }

  it('429 with, without and with a senseless Retry-After; it costs no quota and sets the early mark', async () => {
    const sandbox = await sandboxFor();
    const get = caller(sandbox);
    sandbox.faults.add(
      { match: { nth: 1 }, do: { kind: 'rateLimited', problem: 'day', retryAfter: 7200 } },
      { match: { nth: 2 }, do: { kind: 'rateLimited', problem: 'minute' } },
      { match: { nth: 3 }, do: { kind: 'rateLimited', problem: 'concurrent', retryAfter: 'soon' } },
    );
    const seen = [await get('Journals'), await get('Journals'), await get('Journals'), await get('Journals')];
    expect(
      seen.map(({ status, text, headers }) => [
        status,
        text === '',
        headers.get('X-Rate-Limit-Problem'),
        headers.get('Retry-After'),
      ]),
    ).toEqual([
      [429, true, 'day', '7200'],
      [429, true, 'minute', null],
      [429, true, 'concurrent', 'soon'],
      [200, false, null, null],
    ]);
    expect(seen[3]?.headers.get('X-DayLimit-Remaining')).toBe('4999');
    expect(sandbox.calls.all().map((each) => each.early)).toEqual([false, true, true, true]);
    expect(sandbox.calls.all()[0]).toMatchObject({ problem: 'day', retryAfter: 7200, status: 429 });
  });

  it('truncatedJson: a whole answer of half a JSON; cutBody and reset: a broken connection', async () => {
    const sandbox = await sandboxFor();
    const get = caller(sandbox);
    for (const [kind, expected] of [
      ['truncatedJson', 'bad JSON'],
      ['cutBody', 'network'],
      ['reset', 'network'],
    ] as const) {
      sandbox.faults.clear();
      sandbox.faults.add({ match: {}, do: { kind } });
      for (const encoding of ['identity', 'gzip']) {
        expect(await outcome(get('Journals', { 'accept-encoding': encoding }))).toBe(expected);
      }
    }
    sandbox.faults.clear();
    // Broken calls give their places back.
    const next = await Promise.all(Array.from({ length: 5 }, () => get('Journals')));
    expect(next.map((each) => each.status)).toEqual([200, 200, 200, 200, 200]);
  });

  it('bends a page without bending its amounts: short, backwards, repeated; mislabels and breaks its bytes', async () => {
    const sandbox = await sandboxFor();
    const get = caller(sandbox);
    const numbersOf = async () =>
      (await get('Journals')).json.Journals.map((each: { JournalNumber: number }) => each.JournalNumber);
    const plain = await numbersOf();
    const bent = async (action: FaultAction) => {
      sandbox.faults.clear();
      sandbox.faults.add({ match: {}, do: action });
      return numbersOf();
    };
    expect(await bent({ kind: 'page', rows: 37 })).toEqual(plain.slice(0, 37));
    expect(await bent({ kind: 'page', reversed: true })).toEqual(plain.toReversed());
    expect(await bent({ kind: 'page', repeated: true })).toEqual([plain[0], ...plain]);
    expect(await outcome(bent({ kind: 'brokenGzip' }).then(() => ({ status: 200 })))).toBe('network');
    sandbox.faults.clear();
    sandbox.faults.add({ match: {}, do: { kind: 'wrongContentType' } });
    expect((await get('Journals')).headers.get('content-type')).toBe('text/html');
  });

  it('stall holds its place among the five until the client gives up', async () => {
    const sandbox = await sandboxFor({ limits: { concurrent: 1 } });
    const get = caller(sandbox);
    sandbox.faults.add({ match: { nth: 1 }, do: { kind: 'stall' } });
    const tenantId = sandbox.organisations[0]?.tenantId ?? '';
    const headers = {
      authorization: `Bearer ${sandbox.tokens.mint().access_token}`,
      accept: 'application/json',
      'xero-tenant-id': tenantId,
    };
    const stalled = fetch(`${sandbox.apiUrl}/api.xro/2.0/Journals`, { headers, signal: AbortSignal.timeout(300) });
    const ended = expect(stalled).rejects.toThrow();
    while (sandbox.calls.all().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await get('Journals')).headers.get('X-Rate-Limit-Problem')).toBe('concurrent');
    await ended;
    while ((await get('Journals')).status !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('match by path, tenant, query, nth, everyNth, times', async () => {
    const sandbox = await sandboxFor({ organisations: 2 });
    const [one, two] = [caller(sandbox, 0), caller(sandbox, 1)];
    const tenantId = sandbox.organisations[1]?.tenantId ?? '';
    sandbox.faults.add({
      match: { path: 'Journals', tenantId, query: { offset: '7' }, nth: [2, 3] },
      do: { kind: 'notFound' },
    });
    const journals = 'Journals?offset=7';
    const seen = [
      await one(journals),
      await two(journals),
      await two('Journals'),
      await two(journals),
      await two(journals),
      await two(journals),
    ];
    expect(seen.map((each) => each.status)).toEqual([200, 200, 200, 404, 404, 200]);
    expect(sandbox.faults.list()).toMatchObject([{ seen: 4, struck: 2 }]);
    sandbox.faults.clear();
    sandbox.faults.add({ match: { everyNth: 3, times: 2 }, do: { kind: 'notFound' } });
    const all: number[] = [];
    for (let k = 0; k < 12; k++) all.push((await one('Accounts')).status);
    expect(all.map((status) => (status === 404 ? 1 : 0)).join('')).toBe('001001000000');
  });

  it('random ones strike alike for one seed, and print it', async () => {
    const printed: string[] = [];
    const pattern = async (seed: number): Promise<string> => {
      const sandbox = await sandboxFor({ print: (line) => printed.push(line) });
      sandbox.faults.add({ match: { probability: 0.5, seed }, do: { kind: 'notFound' } });
      const get = caller(sandbox);
      let all = '';
      for (let k = 0; k < 40; k++) all += (await get('TrackingCategories')).status === 404 ? 1 : 0;
      return all;
    };
    const [a, b, c] = [await pattern(11), await pattern(11), await pattern(12)];
    expect(a).toBe(b);
    expect(a).not.toBe(c);
    expect(a).toMatch(/0.*1|1.*0/);
    expect(printed[0]).toContain('seed 11');
  });
});

describe('faults of the token endpoint', () => {
  it('a lost answer has rotated all the same, and the old token works in its grace', async () => {
    const sandbox = await sandboxFor();
    const r0 = sandbox.tokens.mint().refresh_token ?? '';
    sandbox.faults.add({ match: { path: '/connect/token', nth: 1 }, do: { kind: 'reset', when: 'after' } });
    expect(await outcome(refresh(sandbox, r0))).toBe('network');
    expect(sandbox.tokens.refreshes).toBe(1);
    expect(await outcome(refresh(sandbox, r0))).toBe(200);
  });

  it('a request lost before the work has changed nothing', async () => {
    const sandbox = await sandboxFor({ grace: 'none' });
    const r0 = sandbox.tokens.mint().refresh_token ?? '';
    sandbox.faults.add({ match: { path: '/connect/token', nth: 1 }, do: { kind: 'reset' } });
    expect(await outcome(refresh(sandbox, r0))).toBe('network');
    expect(sandbox.tokens.calls).toBe(0);
    expect(await outcome(refresh(sandbox, r0))).toBe(200);
  });

  it('delays before and after rotating, an answer without refresh_token, 500, invalid_grant', async () => {
    const sandbox = await sandboxFor();
    let token = sandbox.tokens.mint().refresh_token ?? '';
    const path = '/connect/token';
    sandbox.faults.add(
      { match: { path, nth: 1 }, do: { kind: 'delay', ms: 60, when: 'before' } },
      { match: { path, nth: 1 }, do: { kind: 'delay', ms: 60, when: 'after' } },
      { match: { path, nth: 2, grantType: 'refresh_token' }, do: { kind: 'noRefreshToken' } },
      { match: { path, nth: 3 }, do: { kind: 'problem500' } },
      { match: { path, nth: 4 }, do: { kind: 'invalidGrant' } },
    );
    const began = Date.now();
    const first = await refresh(sandbox, token);
    expect(Date.now() - began).toBeGreaterThanOrEqual(118);
    token = first.json.refresh_token;
    const second = await refresh(sandbox, token);
    expect([second.status, second.json.refresh_token, typeof second.json.access_token]).toEqual([
      200,
      undefined,
      'string',
    ]);
    expect((await refresh(sandbox, token)).status).toBe(500);
    expect((await refresh(sandbox, token)).json).toEqual({ error: 'invalid_grant' });
    expect((await refresh(sandbox, token)).status).toBe(200);
  });
});
