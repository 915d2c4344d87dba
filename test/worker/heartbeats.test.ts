import { expect, onTestFinished, test, vi } from 'vitest';
import { application, startStand } from '../support/stand.ts';

test('Temporal hears an activity beat again and again while one call to Xero lasts, well before it takes it for dead', async () => {
  const stand = await startStand({ sandbox: { journals: 100 }, xeroTimeoutMs: 30_000 });
  onTestFinished(stand.close);
  stand.sandbox.faults.add({ match: { path: 'Journals', nth: 1 }, do: { kind: 'delay', ms: 10_500 } });
  const { workflowId } = await stand.imports.startJournals({ connection: stand.connection, application });
  const beats = new Set<string>();
  await vi.waitFor(
    async () => {
      const { raw } = await stand.temporal.client.workflow.getHandle(workflowId).describe();
      const [activity] = raw.pendingActivities ?? [];
      const { seconds, nanos } = activity?.lastHeartbeatTime ?? {};
      if (seconds) beats.add(`${seconds}.${nanos}`);
      // Two may be sent one behind the other where nothing is kept back; the third comes in time only if others were heard.
      if (beats.size < 3)
        throw new Error(`It was heard ${beats.size} times; the call is ${stand.sandbox.calls.journals().length}.`);
    },
    { timeout: 40_000, interval: 50 },
  );
  expect(stand.sandbox.calls.journals().filter(({ status }) => status === 200)).toHaveLength(0);
}, 90_000);
