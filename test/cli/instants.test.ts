import { afterAll, beforeAll, expect, test } from 'vitest';
import { daybook } from '../support/daybook.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 50 } });
});
afterAll(() => stand.close());

test('a date that is still to come is noted, as nothing is modified since then; it may be tomorrow’s elsewhere', async () => {
  const words = ['import', 'journals', '--connection', stand.connection, '--application', application, '--follow'];
  const [future, past] = await Promise.all(
    ['2099-07-01', '2026-01-01'].map((date) => daybook([...words, '--modified-since', date], stand.environment)),
  );
  expect(future).toMatchObject({ code: 0, stderr: expect.stringContaining('Note: 2099-07-01 has not come yet (2099') });
  expect(past).toMatchObject({ code: 0, stderr: expect.not.stringContaining('Note') });
});

test('what tables say of instants is in UTC, wherever the user is, and they say so', async () => {
  const environment = { ...stand.environment, TZ: 'Pacific/Auckland' };
  const [status, audit] = await Promise.all([daybook(['status'], environment), daybook(['audit'], environment)]);
  expect(status.stdout).toMatch(/^started \(UTC\) +workflow /);
  expect(audit.stdout).toMatch(/^at \(UTC\) +who /);
  const [at = ''] = /^\d{4}-\S+/m.exec(audit.stdout) ?? [];
  expect(Math.abs(Date.parse(`${at}Z`) - Date.now())).toBeLessThan(600_000);
});
