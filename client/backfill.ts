import type { ImportKind } from '../model/request.ts';
import type { Imports } from './imports.ts';
import { RunningAlready } from './refused.ts';

export interface StartedBackfill {
  connection: string;
  workflowId: string;
  /** False when the same backfill runs already; it goes on. */
  started: boolean;
}

/** Many backfills begin this far apart, all of them within a minute, so that they do not meet at the app's limit. */
const apartMs = 1_000;
const withinMs = 60_000;

/** How much later than the first the one of this place begins. */
function delayOf(place: number, count: number): number {
  return Math.floor(place * Math.min(apartMs, withinMs / count));
}

/**
 * Starts a backfill for each connection, of one request but for its connection: an import like any other, over as many days as it takes, which leaves a reserve of
 * each day's calls to others and gives way to imports that somebody waits for. One that runs already is left alone.
 * @throws RequestRefused with every problem; those before it in the list were started then.
 */
export async function startBackfills(
  imports: Imports,
  kind: ImportKind,
  connections: readonly string[],
  request: { [field: string]: unknown },
): Promise<StartedBackfill[]> {
  const all: StartedBackfill[] = [];
  for (const [place, connection] of connections.entries()) {
    const asked = { ...request, connection, backfill: true };
    const started = await imports.start(kind, asked, delayOf(place, connections.length)).then(
      ({ workflowId }) => ({ connection, workflowId, started: true }),
      (error: unknown) => {
        if (!(error instanceof RunningAlready)) throw error;
        return { connection, workflowId: error.workflowId, started: false };
      },
    );
    all.push(started);
  }
  return all;
}
