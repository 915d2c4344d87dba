import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectOrganisation } from '../../admin/connect.ts';
import { type Browser, startWebStand, type WebStand } from './web-stand.ts';

let stand: WebStand;
let browser: Browser;
beforeAll(async () => {
  stand = await startWebStand({ sandbox: { organisations: 2 } });
  const place = {
    pool: stand.database.pool,
    xero: stand.xero,
    tokenKeys: stand.tokenKeys,
    actor: 'ada',
    now: () => Date.now(),
  };
  for (const [index, name] of ['acme', 'globex'].entries()) {
    const tenantId = stand.sandbox.organisations[index]?.tenantId ?? '';
    await connectOrganisation(place, { name, applications: ['planning'], tenantId }, async (address) =>
      stand.sandbox.consent(address, { tenantIds: [tenantId] }),
    );
  }
  browser = await stand.browser();
});
afterAll(() => stand.close());

test('a connection that was removed and set up again under its name shows what was imported before', async () => {
  const { pool } = stand.database;
  await pool.query(
    `insert into daybook.import_run (run_id, workflow_id, connection_id, connection_name, application, tenant_id, stream,
                                     request, starting_at, moves_watermark, status, ended_at, stored)
     select gen_random_uuid(), 'before', gen_random_uuid(), name, 'planning', tenant_id, 'journals', '{}', 1, true,
            'caughtUp', now(), 4711
       from daybook.connection where name = 'acme'`,
  );
  await pool.query(`insert into daybook.audit (actor, act, subject) values ('ada', 'disconnect', 'acme')`);
  expect((await browser.get('/connections/acme')).text).toMatch(/Journals, complete .*4,711 new/);
  expect((await browser.get('/connections/globex')).text).toContain('none yet');
  await pool.query('delete from daybook.import_run');
});

test('the list has first what needs to be reconnected, and names in the order of their numbers', async () => {
  const { pool } = stand.database;
  await pool.query(
    `insert into daybook.connection (name, authorisation_id, tenant_id, tenant_name, uncovered_since)
     select of.name, authorisation_id, gen_random_uuid(), 'Client', of.since
       from daybook.connection c, (values ('z-10', null), ('z-2', null), ('z-9', now())) as of (name, since)
      where c.name = 'acme'`,
  );
  const { text } = await browser.get('/');
  expect([...text.matchAll(/<a href="\/connections\/(z-\d+)"/g)].map(([, name]) => name)).toEqual([
    'z-9',
    'z-2',
    'z-10',
  ]);
  expect(text.indexOf('/connections/z-9"')).toBeLessThan(text.indexOf('/connections/acme"'));
  await pool.query(`delete from daybook.connection where name like 'z-%'`);
});
