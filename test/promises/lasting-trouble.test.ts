import { expect, type TestContext, test, vi } from 'vitest';
import { differences } from '../../cli/comparison.ts';
import { summariseLedger } from '../../storage/ledger-summary.ts';
import { runRows } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

const open = async ({ onTestFinished }: TestContext) => {
  const stand = await startStand({ sandbox: { journals: 1_000, seed: 23, latencyMs: 50 } });
  onTestFinished(stand.close);
  return stand;
};

/** The activity that waits to be tried again: how often it has failed, with what, and for how many seconds it waits. */
async function failing({ temporal }: Stand, workflowId: string) {
  const { raw } = await temporal.client.workflow.getHandle(workflowId).describe();
  const [activity] = raw.pendingActivities ?? [];
  const pauseSeconds = Number(activity?.currentRetryInterval?.seconds ?? 0);
  return { failures: (activity?.attempt ?? 1) - 1, message: activity?.lastFailure?.message ?? '', pauseSeconds };
}

// They wait nearly all of their time, so they do it together.
test.concurrent('a Postgres that answers and cannot store does not cost the day’s calls, and is told in a sentence', async (context) => {
  const stand = await open(context);
  const { pool } = stand.database;
  await pool.query(`create function public.full() returns trigger language plpgsql as
    $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$`);
  await pool.query(
    'create trigger full_disk before insert on xero.journal for each row execute function public.full()',
  );
  const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
  const waiting = await vi.waitFor(
    async () => {
      const found = await failing(stand, workflowId);
      if (found.pauseSeconds <= 20) throw new Error(`It waits for ${found.pauseSeconds} s: ${found.message}`);
      return found;
    },
    { timeout: 60_000, interval: 500 },
  );
  expect(waiting.message).toMatch(
    new RegExp(`^Connection "${stand.connection}": Postgres .*No space left.*53100.*disk.*give it more.*by itself`),
  );
  // The first attempt has two pages on their way while it stores one; those behind it make one call each.
  expect(stand.sandbox.calls.journals().length).toBeLessThanOrEqual(waiting.failures + 2);
  await pool.query('drop trigger full_disk on xero.journal');
  expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { outcome: 'caughtUp' } });
  expect(differences(await summariseLedger(pool, stand.organisation.tenantId), stand.organisation)).toEqual([]);
}, 120_000);

test.concurrent('one that fails now and then lets an import go on that advances: no failure is counted behind a stored page', async (context) => {
  const stand = await open(context);
  const { pool } = stand.database;
  // Each second page finds its lock held for too long.
  await pool.query('create sequence public.pages');
  await pool.query(`create function public.slow() returns trigger language plpgsql as
    $$ begin if nextval('public.pages') % 2 = 0 then raise exception 'canceling statement due to statement timeout' using errcode = '57014'; end if; return null; end $$`);
  await pool.query(
    'create trigger slow after insert on daybook.page_receipt for each row execute function public.slow()',
  );
  const ended = await stand.importJournals();
  expect(ended).toMatchObject({ ok: true, result: { outcome: 'caughtUp', totals: { pages: 10, stored: 1_000 } } });
  expect(differences(await summariseLedger(pool, stand.organisation.tenantId), stand.organisation)).toEqual([]);
}, 120_000);

test.concurrent('journals that Xero sends again and again, whatever it is asked for, end the import with a sentence', async (context) => {
  const stand = await open(context);
  const first = { JournalID: crypto.randomUUID(), JournalNumber: 1, JournalLines: [] };
  stand.sandbox.faults.add({
    match: { path: 'Journals', nth: Array.from({ length: 20 }, (_, index) => index + 3) },
    do: {
      kind: 'answer',
      status: 200,
      body: JSON.stringify({ Journals: [first] }),
      headers: { 'content-type': 'application/json' },
    },
  });
  const ended = await stand.importJournals();
  expect(ended).toMatchObject({
    ok: false,
    failure: 'RefusedByXero',
    message: expect.stringMatching(
      new RegExp(`^Connection "${stand.connection}": Xero was asked for journals after \\d+ and sent none beyond 1;`),
    ),
  });
  // Two pages, three tries, and what was on its way beside the first of them.
  expect(stand.sandbox.calls.journals().length).toBeLessThanOrEqual(2 + 3 + 4);
  expect(await runRows(stand, ended.workflowId)).toMatchObject([{ status: 'failed', pages: 2 }]);
}, 60_000);
