import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { findConnection, reserveQuota } from '../../storage/connections.ts';
import { daybook } from '../support/daybook.ts';
import { untilProgress } from '../support/observe.ts';
import { application, type Stand, startStand } from '../support/stand.ts';

describe('A reserve of the day’s calls is left to others', () => {
  const dayLimit = 20;
  const reserve = 12;
  let stand: Stand;
  beforeAll(async () => {
    stand = await startStand({ sandbox: { journals: 3_000, limits: { day: dayLimit, minute: 10_000 } } });
    const found = await findConnection(stand.database.pool, stand.connection);
    await reserveQuota(stand.database.pool, found?.connectionId ?? '', reserve);
  });
  afterAll(() => stand.close());

  test('the import waits when it is reached, without a 429 and without a call of it', async () => {
    const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
    const waiting = await untilProgress(stand, workflowId, ({ status }) => status === 'waiting');
    expect(waiting).toMatchObject({
      dayRemaining: reserve,
      waitingFor: 'What is left of Xero’s daily limit is reserved for others',
      totals: { pages: dayLimit - reserve },
    });
    const minutes = (Date.parse(waiting.waitingUntil ?? '') - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(58);
    expect(minutes).toBeLessThan(62);
    expect(stand.sandbox.calls.journals().every(({ status }) => status === 200)).toBe(true);

    // All that Xero allows in a day: that would be for ever.
    const all = await daybook(['connections', 'set', stand.connection, '--quota-reserve', '5000'], stand.environment);
    expect(all).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Note: .*nothing but one call an hour\./) });
    await untilProgress(stand, workflowId, ({ status }) => status === 'waiting');
    await vi.waitFor(
      async () => {
        const doctor = await daybook(['doctor'], stand.environment);
        expect(doctor.stdout).toMatch(
          new RegExp(
            `WRONG +runs +The import ${workflowId} leaves 5000 of .* \`daybook connections set ${stand.connection} `,
          ),
        );
      },
      { timeout: 30_000 },
    );

    // With less reserved it is told, and goes on at once.
    const set = await daybook(['connections', 'set', stand.connection, '--quota-reserve', '5'], stand.environment);
    expect(set).toMatchObject({ code: 0, stderr: '1 waiting workflow looks again now.\n' });
    await untilProgress(stand, workflowId, ({ totals }) => totals.pages > dayLimit - reserve);
    await untilProgress(
      stand,
      workflowId,
      ({ status, totals }) => status === 'waiting' && totals.pages >= dayLimit - 5,
    );
    expect(stand.sandbox.calls.journals().every(({ status }) => status === 200)).toBe(true);

    // Nor does it wait for the next day to learn that it may not go on.
    const denied = await daybook(
      ['connections', 'deny', stand.connection, '--application', application],
      stand.environment,
    );
    expect(denied).toMatchObject({ code: 0, stderr: '1 waiting workflow looks again now.\n' });
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: false, failure: 'ApplicationNotAllowed' });
  }, 120_000);
});
