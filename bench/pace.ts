import { setTimeout as sleep } from 'node:timers/promises';
import { startBench } from './stand.ts';

export interface Pace {
  latencyMs: number;
  callsAMinute: number;
  mostAtOnce: number;
  refusals: number;
}

interface LoggedCall {
  at: number;
  path: string;
  status: number;
  inFlight: number;
}

const minutes = 3;

/** (b) Xero's own limits in real time: how close to 60 calls a minute one tenant gets at a latency. */
export async function pace(latencyMs: number): Promise<Pace> {
  // More than enough for the time: the books must not end before the minutes do.
  const bench = await startBench(['--journals', '30000', '--latency-ms', String(latencyMs)]);
  try {
    const [connection] = await bench.connectAll();
    const { workflowId } = await bench.imports.startJournals({ connection, application: 'bench' });
    await sleep((minutes * 60 + 5) * 1_000);
    await bench.imports.cancel(workflowId);
    const response = await fetch(`${bench.sandbox.url}/sandbox/calls`);
    const calls = ((await response.json()) as LoggedCall[]).filter(({ path }) => path.endsWith('/Journals'));
    const began = calls[0]?.at ?? 0;
    const counted = calls.filter(({ at, status }) => status === 200 && at - began < minutes * 60_000);
    await bench.imports.ending(workflowId);
    return {
      latencyMs,
      callsAMinute: Number((counted.length / minutes).toFixed(1)),
      mostAtOnce: Math.max(...calls.map(({ inFlight }) => inFlight)),
      refusals: calls.filter(({ status }) => status === 429).length,
    };
  } finally {
    await bench.close();
  }
}
