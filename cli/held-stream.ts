import type pg from 'pg';
import { startOf } from '../activities/starting-point.ts';
import { type Imports, workflowIdFor } from '../client/imports.ts';
import { importedAlready } from '../model/refused-use.ts';
import type { ImportKind, ImportRequest } from '../model/request.ts';
import { streamOf } from '../model/streams.ts';
import { findConnection } from '../storage/connections.ts';
import { runThatHolds } from '../storage/runs.ts';

/**
 * Why the workflow of a request would be refused a moment after its start: its stream is being imported under another workflow
 * id, as a Schedule's. Null when it would not be; that it runs under its own id Temporal itself will say.
 */
export async function heldStream(
  pool: pg.Pool,
  imports: Imports,
  kind: ImportKind,
  request: ImportRequest,
): Promise<string | null> {
  const connection = await findConnection(pool, request.connection);
  if (connection === null) return null;
  const stream = streamOf(kind, request);
  const { movesWatermark } = await startOf(pool, connection.tenantId, stream, request);
  const holder = movesWatermark ? await runThatHolds(pool, connection.tenantId, stream) : null;
  if (holder === null || holder.workflowId === workflowIdFor(kind, request)) return null;
  // One that was ended in Temporal from outside gives way.
  return (await imports.isOpen(holder)) ? importedAlready(stream, connection.name, holder) : null;
}
