import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addOwnTokenKey, runsWithOlderKeys } from '../../cli/token-keys.ts';
import { listSeals, rotateKeys } from '../../xero/rotate-keys.ts';
import { createKeyRing } from '../../xero/sealing.ts';
import { Secret } from '../../xero/secret.ts';
import { sealPair } from '../../xero/token-set.ts';
import { createTokens } from '../../xero/tokens.ts';
import { daybook } from '../support/daybook.ts';
import { application, type Stand, startStand } from '../support/stand.ts';
import { startTokenStand } from '../xero/token-stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 120 } });
});
afterAll(() => stand.close());

test('a custom connection is connected without a consent and names its organisation', async () => {
  const environment = { ...stand.environment, XERO_CLIENT_ID: 'daybook-sandbox-custom' };
  const name = `${stand.connection}-custom`;
  const said = await daybook(
    ['connect', '--custom', '--name', name, '--application', application, '--json'],
    environment,
  );
  expect(said).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(`same organisation as "${stand.connection}"`),
  });
  const { tenantId, entitlements } = JSON.parse(said.stdout);
  expect(tenantId).toBe(stand.organisation.tenantId);
  expect(entitlements.map(({ works }: { works: boolean }) => works)).toEqual([true, true, true]);
  const web = await daybook(
    ['connect', '--custom', '--name', `${name}-2`, '--application', application],
    stand.environment,
  );
  expect(web).toMatchObject({ code: 2, stderr: expect.stringContaining('XERO_CLIENT_ID') });
  // What a waiting import asks for is the same sentence for every connection.
  const again = await daybook(['connect', '--name', name, '--application', application], environment);
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining(`as "${name}"`) });
  expect(again.stdout).not.toContain('http');
});

test('what a connection cannot be used for is said as it is connected, and prevents nothing', async () => {
  const { tenantId } = stand.organisation;
  const connect = (environment: Record<string, string>) =>
    daybook(
      ['connect', '--name', stand.connection, '--application', application, '--tenant', tenantId, '--consent'],
      environment,
    );
  const narrow = await connect({
    ...stand.environment,
    XERO_SCOPES: 'offline_access accounting.journals.read accounting.settings.read',
  });
  expect(narrow).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/lacks the scope accounting\.invoices\.read/),
  });
  expect(narrow.stderr).not.toMatch(/journals cannot/);

  stand.sandbox.faults.add({ match: { path: 'Journals' }, do: { kind: 'authorizationUnsuccessful' } });
  const poor = await connect(stand.environment);
  expect(poor).toMatchObject({ code: 0, stdout: expect.stringContaining('Connected') });
  expect(poor.stderr).toMatch(/^Note: .*Advanced tier.*accounting\.journals\.read/m);
  stand.sandbox.faults.clear();
});

test('what the sandbox refuses to consent to is said in its own words; who is no sandbox is told so', async () => {
  const words = ['connect', '--name', 'other', '--application', application, '--consent'];
  const unknown = await daybook([...words, '--tenant', '11111111-2222-4333-8444-555555555555'], stand.environment);
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toMatch(
    /^The sandbox at http\S+ does not consent: The sandbox has no organisation 11111111-\S+; it has \S+ \(.+\)\.\n$/,
  );
  const elsewhere = { ...stand.environment, XERO_LOGIN_URL: `${stand.environment.XERO_LOGIN_URL}/elsewhere` };
  expect(await daybook(words, elsewhere)).toMatchObject({
    ...{ code: 2, stderr: expect.stringMatching(/is no sandbox that consents by itself; leave --consent out\.\n$/) },
  });
});

test('what was found is kept with the connection and shown, until it is found otherwise', async () => {
  const { connection, environment, organisation, sandbox } = stand;
  const shown = async (...args: string[]) => (await daybook(['connections', ...args], environment)).stdout;
  // As the last test left it.
  expect(await shown('show', connection)).toMatch(
    /as tried when it was connected, \d{4}-.* UTC:\n {2}Invoices can be imported\.\n {2}.*Advanced tier/,
  );
  const listed = JSON.parse(await shown('list', '--json')) as { name: string; entitlements: object[] }[];
  expect(listed.find(({ name }) => name === connection)).toMatchObject({
    entitlementsProbedAt: expect.stringMatching(/^\d{4}-/),
    entitlements: [
      { what: 'invoices', works: true },
      { what: 'journals', works: false, message: expect.stringContaining('accounting.journals.read') },
      { what: 'reference data', works: true },
    ],
  });
  sandbox.faults.add({ match: { path: 'Organisation' }, do: { kind: 'html502' } });
  const again = ['connect', '--name', connection, '--application', application, '--tenant', organisation.tenantId];
  expect(await daybook([...again, '--consent'], environment)).toMatchObject({ code: 0 });
  sandbox.faults.clear();
  const list = await shown('list');
  // It could be imported before, and a moment's trouble says nothing else.
  expect(list).toMatch(new RegExp(`^${connection} .* all `, 'm'));
  expect(list).toMatch(new RegExp(`^${connection}-custom .* all `, 'm'));
});

test('a connection stands when what it can be used for cannot be found out, and that is said', async () => {
  const { connection, database, environment, organisation } = stand;
  await database.pool.query('alter table daybook.entitlement add constraint broken check (false) not valid');
  const again = ['connect', '--name', connection, '--application', application, '--tenant', organisation.tenantId];
  const said = await daybook([...again, '--consent'], environment);
  await database.pool.query('alter table daybook.entitlement drop constraint broken');
  expect(said).toEqual({
    code: 0,
    stdout: expect.stringContaining(`as "${connection}", for ${application}.`),
    stderr: `Note: What "${connection}" can be used for could not be tried now.\n`,
  });
});

test('keys rotate: every pair is sealed with the first key, the old one can go, and it is written down', async () => {
  const old = stand.environment.DAYBOOK_TOKEN_KEYS ?? '';
  const fresh = `k2:${Buffer.alloc(32, 9).toString('base64')}`;
  const environment = { ...stand.environment, DAYBOOK_TOKEN_KEYS: `${fresh},${old}` };
  const before = JSON.parse((await daybook(['keys', 'list', '--json'], environment)).stdout);
  expect(before).toMatchObject([
    { kid: 'k2', pairs: 0 },
    { kid: 'k1', pairs: expect.any(Number) },
  ]);
  const rotated = await daybook(['keys', 'rotate'], environment);
  expect(rotated).toMatchObject({ code: 0, stdout: expect.stringMatching(/sealed with "k2"[\s\S]*take out "k1"/) });
  const without = { ...stand.environment, DAYBOOK_TOKEN_KEYS: fresh };
  expect((await daybook(['keys', 'list', '--json'], without)).stdout).toContain(`"pairs":${before[1].pairs}`);
  const { rows } = await stand.database.pool.query(
    `select act, subject, before, after from daybook.audit where act = 'rotateKeys'`,
  );
  expect(rows).toEqual([
    { act: 'rotateKeys', subject: 'k2', before: { k1: before[1].pairs }, after: { k2: before[1].pairs } },
  ]);
  expect(JSON.stringify(rows)).not.toContain(fresh.slice(3));
  // A key that is missing is named, and what it sealed is left as it is.
  const missing = await daybook(['keys', 'rotate'], stand.environment);
  expect(missing).toMatchObject({ code: 1, stdout: expect.stringContaining('"k2"') });
});

test('rotating beside refreshes loses no pair and leaves none behind', async () => {
  const tokens = await startTokenStand();
  try {
    const ids = await Promise.all(Array.from({ length: 8 }, () => tokens.authorise()));
    const keys = createKeyRing(`k2:${Buffer.alloc(32, 9).toString('base64')},${tokens.tokenKeys}`);
    const source = createTokens({ ...tokens, keys });
    let rotating = true;
    const refreshing = ids.map(async (id) => {
      for (let generation = 1; rotating || generation < 3; ) {
        const answer = await source.accessToken(id, { notThis: generation });
        if (answer.kind !== 'token') throw new Error(answer.message);
        generation = answer.generation;
      }
    });
    for (let round = 0; round < 3; round++) expect((await rotateKeys(tokens.pool, keys, 'test')).problems).toEqual([]);
    rotating = false;
    await Promise.all(refreshing);
    expect(Object.keys(await listSeals(tokens.pool))).toEqual(['k2']);
    const later = createTokens({ ...tokens, keys: createKeyRing(`k2:${Buffer.alloc(32, 9).toString('base64')}`) });
    for (const id of ids) expect(await later.accessToken(id)).toMatchObject({ kind: 'token' });
  } finally {
    await tokens.stop();
  }
});

test('a rotation that breaks off has written down what it did, and the next one does the rest', async () => {
  const { pool, stop, tokenKeys, xero, authorise } = await startTokenStand();
  try {
    const id = await authorise();
    const old = createKeyRing(tokenKeys);
    const pair = { accessToken: new Secret('an access token'), refreshToken: new Secret('a refresh token') };
    const seal = sealPair(old, xero.clientId, pair);
    // A chain so long that it takes two commits.
    const sealed = await Promise.all(Array.from({ length: 250 }, (_, index) => seal(id, index + 2)));
    await pool.query(
      `insert into daybook.authorisation_token (authorisation_id, generation, attempt_id, sealed, issued_at, expires_at, life_seconds)
       select $1, ordinality + 1, gen_random_uuid(), sealed, now(), now(), 1800 from jsonb_array_elements($2) with ordinality as s (sealed)`,
      [id, JSON.stringify(sealed)],
    );
    const keys = createKeyRing(`k2:${Buffer.alloc(32, 9).toString('base64')},${tokenKeys}`);
    const writtenDown = async () => {
      const { rows } = await pool.query<{ n: number }>(
        `select coalesce(sum((after->>'k2')::int), 0)::int as n from daybook.audit where act = 'rotateKeys'`,
      );
      return rows[0]?.n;
    };
    // The end of the second batch: its audit row is refused, and its seals with it.
    await pool.query(`create function break_off() returns trigger language plpgsql as $$ begin
      if exists (select from daybook.audit where act = 'rotateKeys') then raise 'broken off'; end if; return new; end $$;
      create trigger break_off before insert on daybook.audit for each row execute function break_off()`);
    await expect(rotateKeys(pool, keys, 'test')).rejects.toThrow('broken off');
    expect(await listSeals(pool)).toEqual({ k1: 51, k2: 200 });
    expect(await writtenDown()).toBe(200);
    await pool.query('drop trigger break_off on daybook.audit');
    expect(await rotateKeys(pool, keys, 'test')).toMatchObject({ after: { k2: 251 }, problems: [] });
    expect(await writtenDown()).toBe(251);
    await rotateKeys(pool, keys, 'test');
    expect(await writtenDown()).toBe(251);
  } finally {
    await stop();
  }
});

test('the embedded stack’s key file gets a new first key, readable by its owner alone', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'daybook-keys-'));
  try {
    const path = join(dataDir, 'token-keys');
    writeFileSync(path, `k1:${Buffer.alloc(32, 1).toString('base64')}\n`, { mode: 0o600 });
    writeFileSync(join(dataDir, 'up.lock'), '{}');
    utimesSync(join(dataDir, 'up.lock'), new Date(0), new Date(0));
    expect(addOwnTokenKey(dataDir)).toBe('k2');
    expect(createKeyRing(readFileSync(path, 'utf8').trim()).kids).toEqual(['k2', 'k1']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(runsWithOlderKeys(dataDir)).toBe(true);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
