import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { keepAliveId } from '../../worker/schedule-keep-alive.ts';
import { type Fate, type GrpcProxy, startGrpcProxy } from '../support/grpc-proxy.ts';
import { runProcess, type TestProcess } from '../support/processes.ts';
import { type Stand, startStand } from '../support/stand.ts';

describe('A worker takes work while its Schedule of the keep-alive is not there yet', { timeout: 90_000 }, () => {
  let stand: Stand;
  let temporal: GrpcProxy;
  let fate: Fate;
  beforeAll(async () => {
    stand = await startStand({ worker: false, sandbox: { journals: 250 } });
    temporal = await startGrpcProxy(stand.temporal.address, (method) => (method === 'CreateSchedule' ? fate : 'pass'));
  });
  afterAll(async () => {
    await temporal.close();
    await stand.close();
  });

  async function whileItRuns(act: (worker: TestProcess) => Promise<void>) {
    const env = { ...stand.environment, TEMPORAL_ADDRESS: temporal.address, DAYBOOK_LOG_LEVEL: 'info' };
    const worker = runProcess('bin/daybook.mjs', { args: ['worker'], env });
    try {
      await worker.line(/the worker is ready/, 60_000);
      await act(worker);
      expect(await worker.end('SIGTERM')).toBe(0);
    } finally {
      await worker.kill9();
    }
  }
  const notScheduled = /keep-alive of the authorisations could not be scheduled/;

  test('Temporal does not answer for it: an import ends, and so does the worker that is told to stop', async () => {
    fate = 'hold';
    await whileItRuns(async (worker) => {
      expect(await stand.importJournals()).toMatchObject({ ok: true });
      // Its call was neither answered nor given up.
      expect(temporal.struck).toEqual(['CreateSchedule']);
      expect(worker.output()).not.toMatch(notScheduled);
    });
  });

  test('Temporal refuses it: the log says so, and the worker goes on', async () => {
    const permissionDenied = 7;
    fate = permissionDenied;
    await whileItRuns(async (worker) => {
      await worker.line(notScheduled);
      expect(await stand.importJournals()).toMatchObject({ ok: true });
    });
  });

  test('Temporal is well: it is made beside the work', async () => {
    fate = 'pass';
    const schedule = stand.temporal.client.schedule.getHandle(keepAliveId(stand.taskQueue));
    await whileItRuns(async () => {
      await vi.waitFor(() => schedule.delete(), 10_000);
    });
  });
});
