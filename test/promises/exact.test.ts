import { isDeepStrictEqual } from 'node:util';
import { parse } from 'lossless-json';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JournalDraft } from '../../sandbox/books/draft.ts';
import { SPECIAL_KINDS } from '../../sandbox/books/special.ts';
import { listOverview } from '../../storage/overview.ts';
import { lastImport } from '../../web/views/status.ts';
import { daybook } from '../support/daybook.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { type Stand, startStand } from '../support/stand.ts';
import { asStored, readStored, readWire, type WireJournal } from '../support/wire.ts';

const uuid = (number: number) => `00000000-0000-4000-9000-${String(number).padStart(12, '0')}`;

/** A journal as JSON text, for what the sandbox's own model refuses to hold. */
function written(number: number, fields: Record<string, string>): JournalDraft {
  const all = {
    JournalID: `"${uuid(number)}"`,
    JournalNumber: String(number),
    JournalDate: '"\\/Date(1793404800000+0000)\\/"',
    CreatedDateUTC: '"\\/Date(1793404800123+1300)\\/"',
    JournalLines: '[]',
    ...fields,
  };
  const text = Object.entries(all).map(([name, value]) => `"${name}":${value}`);
  return { lines: [], json: `{${text.join(',')}}` };
}
const line = (fields: string) => `[{"JournalLineID":"${uuid(0)}","AccountID":"${uuid(1)}",${fields}}]`;
const amounts = (net: string) => ({ JournalLines: line(`"NetAmount":${net},"GrossAmount":${net},"TaxAmount":0`) });

const storable: Record<string, (number: number) => JournalDraft> = {
  'amounts as strings': (n) => written(n, amounts('"-1234567890.1200"')),
  'more digits than any double': (n) => written(n, amounts('-123456789012345678901234567890.123456789')),
  'a whole number and no cents': (n) => written(n, amounts('7')),
  'fields nobody knows': (n) =>
    written(n, { Novelty: '{"deep":[1.10,null]}', JournalLines: line('"NetAmount":1.10,"Hue":"blue"') }),
  'emoji, right-to-left, quotes, escapes': () => ({
    reference: '🧾 שלום ‮العربية "quoted" \\back\\ \t\n\u0001 \u2028',
    lines: [
      { account: '610', net: '0.01', description: '👩‍👩‍👧 \'single\' "double" \\u0041 {json} $1 %s' },
      { account: '200', net: '-0.01', description: 'مرحبا; drop table xero.journal; --' },
    ],
  }),
  'empty texts, which are not null': (n) => written(n, { Reference: '""', SourceType: '""' }),
  'an explicit null for each optional field': (n) =>
    written(n, { Reference: 'null', SourceID: 'null', SourceType: 'null', JournalLines: 'null' }),
  'a date far from now': (n) => written(n, { JournalDate: '"\\/Date(-2208988800000+0000)\\/"' }),
  'a date with another offset, which does not change the instant': (n) =>
    written(n, { JournalDate: '"\\/Date(1793404800000-0800)\\/"' }),
};

const unstorable: Record<string, (number: number) => JournalDraft> = {
  'no number': () => ({ omit: ['JournalNumber'] }),
  'no creation date': () => ({ omit: ['CreatedDateUTC'] }),
  'an impossible date': (n) => written(n, { JournalDate: '"31/12/2026"' }),
  'a thirteenth month': (n) => written(n, { JournalDate: '"2026-13-01T00:00:00"' }),
  'an amount that is none': (n) => written(n, amounts('"1,234.50"')),
  'an amount that is not a number': (n) => written(n, amounts('"NaN"')),
  'a line without its amount': (n) => written(n, { JournalLines: line('"Description":"amount lost"') }),
  'lines that are no list': (n) => written(n, { JournalLines: '{"0":{}}' }),
  'an id that is none': (n) => written(n, { JournalID: '"not-a-uuid"' }),
  'a number another journal has': () => written(3, { JournalID: `"${uuid(3)}"` }),
  'an id that a journal with another number has': (n) =>
    written(n, { JournalID: `"${uuid(251 + SPECIAL_KINDS.length)}"` }),
};
const unstorableSpecials = ['nulInText', 'loneSurrogate', 'missingJournalId'];

function addAwkward({ organisation: { books } }: Stand): void {
  for (const kind of SPECIAL_KINDS) books.special(kind);
  for (const make of [...Object.values(storable), ...Object.values(unstorable)]) {
    books.put(books.lastNumber + 1, make(books.lastNumber + 1));
  }
  // So that the awkward ones are neither the last of all nor alone on their pages.
  for (let n = 0; n < 150; n++) books.append();
}

describe('Amounts, texts and dates are exact to the last digit Xero sent, or the journal is in quarantine', () => {
  const bad = Object.keys(unstorable).length + unstorableSpecials.length;
  let stand: Stand;
  let wire: WireJournal[];
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 250, seed: 3, contiguous: true, limits: { minute: 10_000 } } });
    addAwkward(stand);
    wire = await readWire(stand.sandbox, stand.organisation.tenantId);
  });
  afterAll(() => stand.close());

  const quarantined = async () => {
    const { rows } = await stand.database.pool.query<{ reason: string; payload: string; journal_number: string }>(
      'select reason, payload, journal_number from daybook.quarantine order by quarantine_id',
    );
    return rows;
  };

  test('the run goes on past all of them and counts them', async () => {
    expect(await stand.importJournals()).toMatchObject({
      ok: true,
      result: { outcome: 'caughtUp', totals: { stored: wire.length - bad, admitted: wire.length, quarantined: bad } },
    });
  });

  test('how many are in quarantine is told where imports are listed', async () => {
    const { stdout } = await daybook(['status'], stand.environment);
    const [titles = '', run = ''] = stdout.split('\n');
    expect(titles).toMatch(/ stored +in quarantine +calls /);
    expect(run).toMatch(new RegExp(` caughtUp +${wire.length - bad} +${bad} +\\d+ `));
    const [listed] = JSON.parse((await daybook(['status', '--json'], stand.environment)).stdout);
    const message = `Imported all journals of ${stand.organisation.name}, ${bad} in quarantine (table daybook.quarantine).`;
    expect(listed).toMatchObject({ totals: { quarantined: bad }, message });
    const [overview] = await listOverview(stand.database.pool);
    expect(overview?.lastRun).toMatchObject({ stored: wire.length - bad, quarantined: bad });
    expect(`${overview && lastImport(overview)}`).toContain(` new, ${bad} in quarantine<`);
  });

  test('every journal of the wire is stored exactly or in quarantine, word for word and with the reason', async () => {
    const stored = new Map((await readStored(stand)).map((journal) => [journal.id, journal]));
    const inQuarantine = await quarantined();
    const set = inQuarantine.map(({ payload }) => parse(payload));
    let exact = 0;
    for (const journal of wire) {
      if (set.some((payload) => isDeepStrictEqual(payload, journal))) continue;
      expect(stored.get(String(journal.JournalID))).toEqual(asStored(journal));
      exact++;
    }
    expect(exact).toBe(wire.length - bad);
    expect(stored.size).toBe(exact);
    expect(inQuarantine).toHaveLength(bad);
    expect(inQuarantine.filter(({ reason }) => !/\w{5,}.*SQLSTATE|never changes its number/.test(reason))).toEqual([]);
    const { rows } = await stand.database.pool.query<{ net: string }>(
      'select net_amount::text as net from xero.journal_line where net_amount > 9e13 and net_amount < 1e14',
    );
    expect(rows).toEqual([{ net: '90071992547409.93' }]);
  });

  test('the payload kept beside them is what Xero sent, fields nobody knows included', async () => {
    const { rows } = await stand.database.pool.query<{ payload: string }>(
      "select payload::text from xero.journal where payload ? 'Novelty'",
    );
    expect(parse(rows[0]?.payload ?? '')).toMatchObject({ Novelty: { deep: [{ value: '1.10' }, null] } });
  });

  test('a second run doubles nothing, and quarantine is not doubled', async () => {
    const [stored, before] = [await readStored(stand), await quarantined()];
    expect(await stand.importJournals({ full: true })).toMatchObject({
      ok: true,
      result: { outcome: 'caughtUp', totals: { stored: 0, quarantined: bad } },
    });
    expect(await readStored(stand)).toEqual(stored);
    expect(await quarantined()).toHaveLength(before.length);
    expect(await stand.importJournals()).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(await readStored(stand)).toEqual(stored);
  });

  test('what no filter can judge, for want of a number or a date, is quarantined and never left out in silence', async () => {
    await stand.database.pool.query('truncate xero.journal, xero.journal_line, daybook.quarantine');
    const filtered = await stand.importJournals({ startingAtJournalId: 251, modifiedSince: '1999-01-01' });
    expect(filtered).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    const kept = (await quarantined()).map(({ payload }) => parse(payload) as WireJournal);
    expect(kept.some((journal) => journal.JournalNumber === undefined)).toBe(true);
    expect(kept.some((journal) => journal.CreatedDateUTC === undefined)).toBe(true);
  });
});

describe.each([
  ['Pacific/Auckland', 'America/Los_Angeles'],
  ['America/Los_Angeles', 'Pacific/Auckland'],
])('With a worker in %s and a Postgres session in %s', (workerZone, sessionZone) => {
  let stand: Stand;
  let worker: TestProcess;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 300, seed: 5, limits: { minute: 10_000 } }, worker: false });
    for (const kind of ['yearOf1964', 'dateZero', 'isoDates', 'largestAmount'] as const) {
      stand.organisation.books.special(kind);
    }
    const name = new URL(stand.database.url).pathname.slice(1);
    await stand.database.pool.query(`alter database ${name} set timezone to '${sessionZone}'`);
    await stand.database.pool.query(`alter database ${name} set datestyle to 'SQL, DMY'`);
    worker = runProcess('bin/daybook.mjs', { args: ['worker'], env: { ...stand.environment, TZ: workerZone } });
  });
  afterAll(async () => {
    await worker.end('SIGTERM');
    await stand.close();
  });

  test('dates and instants are Xero’s, and “since” a date means midnight UTC', async () => {
    const wire = await readWire(stand.sandbox, stand.organisation.tenantId);
    const pivot = new Date(Number(/-?\d+/.exec(String(wire[200]?.CreatedDateUTC))?.[0])).toISOString().slice(0, 10);
    const since = wire.map(asStored).filter(({ created }) => created !== null && created >= `${pivot}T00:00:00.000Z`);
    expect(await stand.importJournals({ modifiedSince: pivot })).toMatchObject({ ok: true });
    expect(await readStored(stand)).toEqual(since);
    expect(await stand.importJournals()).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
    expect(await readStored(stand)).toEqual(wire.map(asStored));
  });
});
