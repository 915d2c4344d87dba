import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { storeReference } from '../../storage/reference.ts';
import { daybook } from '../support/daybook.ts';
import { runRows } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
beforeAll(async () => {
  const organisations = [{ journals: 300, contacts: 2_150 }];
  stand = await startStand({ sandbox: { organisations, seed: 17, limits: { minute: 10_000 } } });
});
beforeEach(() => {
  stand.sandbox.faults.clear();
  stand.sandbox.calls.reset();
});
afterAll(() => stand.close());

const rows = async (sql: string, ...values: unknown[]) => (await stand.database.pool.query(sql, values)).rows;
const asked = () =>
  stand.sandbox.calls
    .all()
    .filter(({ path }) => path.startsWith('/api.xro/') && !path.endsWith('/Journals'))
    .map(({ path, ifModifiedSince }) => `${path.split('/').at(-1)}${ifModifiedSince ? ' since' : ''}`);
/** As though an hour and a minute had passed. */
const anHourLater = () => rows(`update daybook.reference_position set asked_at = asked_at - interval '61 minutes'`);

describe('Each import brings the reference data along, for a handful of calls', () => {
  test('organisation, accounts, tracking and contacts are all there, archived ones too', async () => {
    expect(await stand.importJournals()).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    const { books, name, tenantId, baseCurrency } = stand.organisation;
    expect(await rows('select tenant_id, name, base_currency from xero.organisation')).toEqual([
      { tenant_id: tenantId, name, base_currency: baseCurrency },
    ]);
    expect(await rows('select account_id as id, code, name, status from xero.account order by account_id')).toEqual(
      books.chart.all
        .map(({ id, code = null, name, status }) => ({ id, code, name, status }))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    );
    expect(await rows('select contact_id as id, name from xero.contact order by contact_id')).toEqual(
      books.reference
        .contacts()
        .map(({ id, name }) => ({ id, name }))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    );
    expect(await rows('select name, status from xero.tracking_category order by name')).toEqual(
      books.reference
        .categories()
        .map(({ name, status }) => ({ name, status }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
    expect(await rows('select count(*)::int as n from xero.tracking_category_option')).toEqual([
      { n: books.reference.categories().flatMap(({ options }) => options).length },
    ]);
    expect(
      await rows(
        `select 1 from xero.journal_line l left join xero.account a using (tenant_id, account_id) where a.name is null`,
      ),
    ).toEqual([]);
    expect(asked()).toHaveLength(6);
  });

  test('within the hour nothing is asked again, whatever is run', async () => {
    await stand.importJournals();
    await stand.importJournals({ endingAtJournalId: 10 });
    await stand.importJournals({ basis: 'cash' });
    expect(asked()).toEqual([]);
  });

  test('after it only what changed is; a full run asks for all', async () => {
    await anHourLater();
    await stand.importJournals();
    expect(asked()).toEqual(['Organisation', 'Accounts since', 'TrackingCategories', 'Contacts since']);
    stand.sandbox.calls.reset();
    await stand.importJournals({ full: true });
    expect(asked().slice(0, 4)).toEqual(['Organisation', 'Accounts', 'TrackingCategories', 'Contacts']);
  });
});

describe('No date that Xero gives makes a later import pass over an edit', () => {
  const account = async (code: string) => (await rows('select name from xero.account where code = $1', code))[0]?.name;
  const contact = async (id: string) =>
    (await rows('select name from xero.contact where contact_id = $1', id))[0]?.name;
  const ids = () => stand.organisation.books.reference.contacts().map(({ id }) => id);
  async function refreshAfterAnHour() {
    await anHourLater();
    stand.sandbox.calls.reset();
    expect(await stand.importJournals()).toMatchObject({ ok: true });
    return asked();
  }
  const changesOnly = ['Organisation', 'Accounts since', 'TrackingCategories', 'Contacts since'];

  test('one that is dated ahead of the clock hides neither others nor what becomes of it itself', async () => {
    const { reference } = stand.organisation.books;
    const [ahead = '', other = ''] = ids();
    const updated = Date.now() + 86_400_000;
    reference.changeContact(ahead, { name: 'Dated ahead', updated });
    reference.changeAccount('400', { name: 'Dated ahead', updated });
    expect(await refreshAfterAnHour()).toEqual(changesOnly);
    expect([await contact(ahead), await account('400')]).toEqual(['Dated ahead', 'Dated ahead']);
    reference.changeContact(ahead, { name: 'Dated now' });
    reference.changeContact(other, { name: 'Another' });
    reference.changeAccount('400', { name: 'Dated now' });
    reference.changeAccount('404', { name: 'Another' });
    expect(await refreshAfterAnHour()).toEqual(changesOnly);
    expect([await contact(ahead), await account('400')]).toEqual(['Dated now', 'Dated now']);
    expect([await contact(other), await account('404')]).toEqual(['Another', 'Another']);
  });

  test('one that Xero shows some minutes after its date is found by the next import', async () => {
    const { reference } = stand.organisation.books;
    const [first = '', late = ''] = ids();
    reference.changeContact(first, { name: 'In time' });
    reference.changeAccount('408', { name: 'In time' });
    await refreshAfterAnHour();
    const updated = Date.now() - 120_000;
    reference.changeContact(late, { name: 'Shown late', updated });
    reference.changeAccount('412', { name: 'Shown late', updated });
    expect(await refreshAfterAnHour()).toEqual(changesOnly);
    expect([await contact(late), await account('412')]).toEqual(['Shown late', 'Shown late']);
  });

  test('a place ahead of the clock, as earlier versions wrote it, is given up: all is read once, then what changed', async () => {
    const { reference } = stand.organisation.books;
    const [passedOver = ''] = ids();
    reference.changeContact(passedOver, { name: 'Passed over' });
    reference.changeAccount('416', { name: 'Passed over' });
    await rows(
      `update daybook.reference_position set read_through = now() + interval '1 day' where read_through is not null`,
    );
    expect(await refreshAfterAnHour()).toEqual([
      ...['Organisation', 'Accounts', 'TrackingCategories', 'Contacts', 'Contacts since', 'Contacts since'],
    ]);
    expect([await contact(passedOver), await account('416')]).toEqual(['Passed over', 'Passed over']);
    expect(await refreshAfterAnHour()).toEqual(changesOnly);
  });
});

describe('What Xero refuses or fails to give of it holds no journal up', () => {
  test('a scope that was not granted is noted, and the journals and the rest are imported', async () => {
    await rows('truncate daybook.reference_position, xero.account, xero.contact');
    stand.sandbox.faults.add({ match: { path: 'Accounts' }, do: { kind: 'authorizationUnsuccessful' } });
    const number = stand.organisation.books.append();
    const ended = await stand.importJournals();
    expect(ended).toMatchObject({ ok: true, result: { outcome: 'caughtUp', readThrough: number } });
    const [run] = (await runRows(stand, ended.workflowId)).slice(-1);
    expect(run?.message).toMatch(/^Imported .*\n.*reference data of "acme.*not complete \(accounts\)/);
    // Whoever waits for the workflow's end, or looks at it in Temporal's UI, is told the same.
    expect(ended).toMatchObject({ result: { message: run?.message } });
    await anHourLater();
    const words = ['import', 'journals', '--connection', stand.connection, '--application', application, '--follow'];
    const followed = await daybook(words, stand.environment);
    expect(followed.stdout).toMatch(/^Imported .* stored, read through .* calls\.\n.*not complete \(accounts\)/);
    expect(await rows('select count(*)::int as n from xero.contact')).toEqual([{ n: 2_150 }]);
    expect(await rows('select 1 from xero.account')).toEqual([]);
    stand.sandbox.faults.clear();
    await anHourLater();
    await stand.importJournals();
    expect(await rows('select count(*)::int as n from xero.account')).toEqual([
      { n: stand.organisation.books.chart.all.length },
    ]);
  });

  test('what it says is not there is asked for again by the next run, as it may have been a mishap', async () => {
    await rows('truncate daybook.reference_position, xero.account');
    stand.sandbox.faults.add({ match: { path: 'Accounts', times: 1 }, do: { kind: 'notFound' } });
    const ended = await stand.importJournals();
    expect((await runRows(stand, ended.workflowId)).at(-1)?.message).toMatch(/not complete \(accounts\)/);
    stand.sandbox.faults.clear();
    stand.sandbox.calls.reset();
    await stand.importJournals();
    expect(asked()).toEqual(['Accounts']);
    expect(await rows('select count(*)::int as n from xero.account')).toEqual([
      { n: stand.organisation.books.chart.all.length },
    ]);
  });

  test('a limit and a passing fault are waited out, as for journals', async () => {
    await rows('truncate daybook.reference_position, xero.contact');
    stand.sandbox.faults.add(
      { match: { path: 'Contacts', nth: 2 }, do: { kind: 'html503' } },
      { match: { path: 'Organisation', nth: 1 }, do: { kind: 'rateLimited', problem: 'day', retryAfter: 1 } },
    );
    expect(await stand.importJournals()).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(stand.sandbox.calls.early()).toEqual([]);
    expect(stand.sandbox.faults.list().map(({ struck }) => struck)).toEqual([1, 1]);
    expect(await rows('select count(*)::int as n from xero.contact')).toEqual([{ n: 2_150 }]);
  });
});

describe('The stored chart tells its own history', () => {
  const account = (fields: object) => ({
    AccountID: '00000000-0000-4000-8000-000000000001',
    Code: '200',
    Name: 'Sales',
    Type: 'REVENUE',
    Class: 'REVENUE',
    Status: 'ACTIVE',
    UpdatedDateUTC: '/Date(1700000000000+0000)/',
    ...fields,
  });
  const store = (...Accounts: unknown[]) =>
    storeReference(stand.database.pool, {
      runId: '00000000-0000-4000-8000-0000000000ff',
      tenantId: '00000000-0000-4000-8000-0000000000aa',
      endpoint: 'accounts',
      text: JSON.stringify({ Accounts }),
    });
  const history = () =>
    rows(
      `select code, name, status from xero.account_history
        where tenant_id = '00000000-0000-4000-8000-0000000000aa' order by seen_at`,
    );

  test('a row where a name, a code or a status changed; none where nothing did; an older copy changes nothing', async () => {
    await store(account({}));
    await store(account({ Description: 'Only the words about it' }));
    await store(account({ Name: 'Turnover', UpdatedDateUTC: '/Date(1700000100000+0000)/' }));
    await store(account({ Name: 'Sales' }));
    await store(account({ Name: 'Turnover', Status: 'ARCHIVED', UpdatedDateUTC: '/Date(1700000200000+0000)/' }));
    await store();
    expect(await history()).toEqual([
      { code: '200', name: 'Sales', status: 'ACTIVE' },
      { code: '200', name: 'Turnover', status: 'ACTIVE' },
      { code: '200', name: 'Turnover', status: 'ARCHIVED' },
    ]);
    expect(await rows(`select name, status from xero.account where account_id = $1`, account({}).AccountID)).toEqual([
      { name: 'Turnover', status: 'ARCHIVED' },
    ]);
  });

  test('one account that Postgres cannot store is in quarantine, the others are stored', async () => {
    const good = account({ AccountID: '00000000-0000-4000-8000-000000000002', Code: '201' });
    const bad = account({ AccountID: '00000000-0000-4000-8000-000000000003', Name: 'Nothing\0here' });
    await store(bad, good);
    expect(await rows(`select code from xero.account where account_id = $1`, good.AccountID)).toEqual([
      { code: '201' },
    ]);
    expect(await rows(`select stream, reason from daybook.quarantine where stream = 'accounts'`)).toHaveLength(1);
  });
});
