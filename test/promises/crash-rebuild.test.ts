import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { daybook } from '../support/daybook.ts';
import { runProcess } from '../support/processes.ts';
import { type Stand, startStand } from '../support/stand.ts';

describe('A rebuild that is killed in the middle of a batch', () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 700, seed: 32, limits: { minute: 10_000 } } });
    expect(await stand.importJournals()).toMatchObject({ ok: true });
    expect(await stand.importInvoices()).toMatchObject({ ok: true });
  });
  afterAll(() => stand.close());

  const query = async (sql: string) => (await stand.database.pool.query(sql)).rows;

  /** Each document whole: its row and all its parts, as one text. */
  async function documents({ table, id, parts }: Kind): Promise<Map<string, string>> {
    const rows = await query(
      `select d.${id} as id, concat(d::text, ${parts
        .map((part) => `(select string_agg(p::text, '|' order by p::text) from ${part} p where p.${id} = d.${id})`)
        .join(", ' / ', ")}) as whole from ${table} d`,
    );
    return new Map(rows.map(({ id: key, whole }) => [key, whole]));
  }

  interface Kind {
    table: string;
    id: string;
    parts: string[];
    /** A row of it in the second batch is held by somebody else, after the documents' own columns were made anew. */
    held: string;
    tamper: string[];
  }
  const kinds: Record<string, Kind> = {
    journals: {
      table: 'xero.journal',
      id: 'journal_id',
      parts: ['xero.journal_line', 'xero.journal_line_tracking'],
      held: `select from xero.journal_line where journal_id = (
               select journal_id from xero.journal order by journal_id offset 600 limit 1) and line_index = 1 for update`,
      tamper: [
        `update xero.journal set reference = 'wrong', journal_date = journal_date + 1`,
        'delete from xero.journal_line where line_index = 2',
        `update xero.journal_line set net_amount = net_amount * 2, description = 'wrong'`,
        'delete from xero.journal_line_tracking',
      ],
    },
    invoices: {
      table: 'xero.invoice',
      id: 'invoice_id',
      parts: ['xero.invoice_line_item', 'xero.invoice_line_item_tracking', 'xero.invoice_settlement'],
      held: `select from xero.invoice_line_item where invoice_id = (
               select invoice_id from xero.invoice order by invoice_id desc limit 1) and line_index = 1 for update`,
      tamper: [
        `update xero.invoice set total = total + 1, reference = 'wrong'`,
        'delete from xero.invoice_line_item where line_index = 2',
        'update xero.invoice_line_item set line_amount = line_amount + 1',
        'update xero.invoice_settlement set amount = amount + 1',
      ],
    },
  };

  test.each(Object.entries(kinds))(
    '%s: leaves each as it was or as it is made anew, readers see no half, and the next one makes all right',
    async (only, kind) => {
      const right = await documents(kind);
      for (const wrong of kind.tamper) await query(wrong);
      const tampered = await documents(kind);
      const wrongOnes = [...right].filter(([id, whole]) => tampered.get(id) !== whole).length;
      expect(wrongOnes).toBe(right.size);

      const holder: pg.PoolClient = await stand.database.pool.connect();
      await holder.query('begin');
      expect((await holder.query(kind.held)).rowCount).toBe(1);
      const rebuilding = runProcess('bin/daybook.mjs', {
        args: ['rebuild', '--connection', stand.connection, '--stream', only],
        env: stand.environment,
      });
      const waiting = () =>
        query(
          `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and pid <> pg_backend_pid()`,
        );
      await vi.waitFor(async () => expect((await waiting()).length).toBe(1), { timeout: 20_000, interval: 50 });
      const isWhole = async () => {
        const now = await documents(kind);
        expect(now.size).toBe(right.size);
        for (const [id, whole] of now) expect([right.get(id), tampered.get(id)]).toContain(whole);
        return [...now].filter(([id, whole]) => right.get(id) === whole).length;
      };
      const duringBatch = await isWhole();
      expect(duringBatch).toBeLessThan(right.size);
      await rebuilding.kill9();
      expect(await isWhole()).toBe(duringBatch);
      await holder.query('rollback');
      holder.release();
      await vi.waitFor(async () => expect(await waiting()).toEqual([]), { timeout: 10_000, interval: 50 });
      await sleep(300);
      // Nobody was there to commit the batch.
      expect(await isWhole()).toBe(duringBatch);

      const again = await daybook(['rebuild', '--connection', stand.connection], stand.environment);
      expect(again).toMatchObject({ code: 0 });
      expect(await documents(kind)).toEqual(right);
    },
  );
});
