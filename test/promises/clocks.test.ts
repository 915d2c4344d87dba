import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countEvents, untilRow } from '../support/observe.ts';
import { runProcess } from '../support/processes.ts';
import { application, startStand } from '../support/stand.ts';

test.concurrent.each([
  ['two minutes behind', -120_000],
  ['two minutes ahead of', 120_000],
])('a worker whose clock is %s Temporal’s sleeps out a limit once, and calls no earlier', async (_, off) => {
  const stand = await startStand({ sandbox: { journals: 500, contiguous: true }, worker: false });
  const clock = join(import.meta.dirname, '../support/clock-off.cjs');
  const env = { ...stand.environment, NODE_OPTIONS: `--require ${clock}`, CLOCK_OFF_MS: `${off}` };
  const worker = runProcess('bin/daybook.mjs', { args: ['worker'], env });
  try {
    const limit = { kind: 'rateLimited', problem: 'minute', retryAfter: 24 } as const;
    stand.sandbox.faults.add({ match: { path: 'Journals', nth: 3 }, do: limit });
    const { workflowId, runId } = await stand.imports.startJournals({ connection: stand.connection, application });
    await untilRow(stand, workflowId, ({ status }) => status === 'waiting');
    expect(await stand.imports.ending(workflowId)).toMatchObject({ ok: true, result: { totals: { stored: 500 } } });
    const events = await countEvents(stand, workflowId, runId);
    expect(events).toMatchObject({ timers: 1, failedTasks: 0 });
    expect(events.activities).toBeLessThanOrEqual(4);
    const calls = stand.sandbox.calls.journals();
    expect((calls[3]?.at ?? 0) - (calls[2]?.at ?? 0)).toBeGreaterThanOrEqual(24_000);
  } finally {
    await worker.kill9();
    await stand.close();
  }
});
