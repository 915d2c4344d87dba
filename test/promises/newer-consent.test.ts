import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectOrganisation } from '../../admin/connect.ts';
import { sandboxSettings } from '../../cli/sandbox-file.ts';
import { application, type Stand, startStand, tokenKeys } from '../support/stand.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ sandbox: { journals: 250 } });
});
afterAll(() => stand.close());

/** Gives a consent as the same Xero user, without the scopes that `lacking` names. */
async function consent(lacking?: RegExp): Promise<void> {
  const { sandbox, organisation, connection, database } = stand;
  const xero = sandboxSettings(sandbox);
  const scopes = xero.scopes.filter((scope) => !lacking?.test(scope));
  const { tenantId } = organisation;
  await connectOrganisation(
    { pool: database.pool, xero: { ...xero, scopes }, tokenKeys, actor: 'test', now: () => Date.now() },
    { name: connection, applications: [application], tenantId },
    async (address) => sandbox.consent(address, { tenantIds: [tenantId] }),
  );
}

test('a scope that a new consent adds is used at once, though the token before it would live on', async () => {
  await consent(/invoices|transactions/);
  expect(await stand.importJournals()).toMatchObject({ ok: true });
  expect(await stand.importInvoices()).toMatchObject({ ok: false, failure: 'NotEntitled' });
  await consent();
  expect(await stand.importInvoices()).toMatchObject({ ok: true });
});

test('where that token has ended before its time, too, it is refreshed before anybody is asked to reconnect', async () => {
  await stand.importJournals();
  await consent();
  stand.sandbox.tokens.expireAccessTokens();
  stand.sandbox.calls.reset();
  expect(await stand.importJournals()).toMatchObject({ ok: true });
  expect(stand.sandbox.calls.journals().filter(({ status }) => status === 401)).toHaveLength(2);
});

test('a token that Xero refused is not sent again while no other can be had', async () => {
  stand.sandbox.faults.add({ match: { path: '/connect/token', times: 3 }, do: { kind: 'problem500' } });
  stand.sandbox.tokens.expireAccessTokens();
  stand.sandbox.calls.reset();
  expect(await stand.importJournals()).toMatchObject({ ok: true });
  expect(stand.sandbox.calls.journals().filter(({ status }) => status === 401)).toHaveLength(1);
}, 60_000);
