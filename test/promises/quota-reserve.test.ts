import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

    // With less reserved it is told, and goes on at once.
    const set = await daybook(['connections', 'set', stand.connection, '--quota-reserve', '5'], stand.environment);
    expect(set).toMatchObject({ code: 0, stderr: '1 waiting workflow goes on now.\n' });
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
    expect(denied).toMatchObject({ code: 0, stderr: '1 waiting workflow goes on now.\n' });
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: false, failure: 'ApplicationNotAllowed' });
  });
});
