import { type StartingPoint, startingPoint } from '../model/cursor.ts';
import { secondLook } from '../model/gaps.ts';
import { invoicesStartingPoint } from '../model/invoice-cursor.ts';
import { type ImportRequest, instantOf } from '../model/request.ts';
import { type Stream, streams } from '../model/streams.ts';
import { recentGaps } from '../storage/gaps.ts';
import type { Queryable } from '../storage/pool.ts';
import { watermark } from '../storage/runs.ts';

/** Where an import of a request would begin now, with what is stored already. */
export interface Start extends StartingPoint {
  /** Up to where everything is stored: a journal number, or a second since 1970; 0 when nothing is. */
  watermark: number;
  /** The instant of `modifiedSince`, in milliseconds since 1970. */
  since: number | null;
}

export async function startOf(db: Queryable, tenantId: string, stream: Stream, request: ImportRequest): Promise<Start> {
  const stored = await watermark(db, tenantId, stream);
  const since = request.modifiedSince === undefined ? null : instantOf(request.modifiedSince);
  const start = stream === 'invoices' ? invoicesStartingPoint(request, since, stored) : startingPoint(request, stored);
  const { cursor: overlapFrom, movesWatermark } = start;
  const takesUp = streams[stream].kind === 'journals' && movesWatermark && !request.full && overlapFrom !== null;
  const cursor = takesUp
    ? secondLook(await recentGaps(db, tenantId, stream, stored), overlapFrom, stored)
    : overlapFrom;
  return { ...start, cursor, watermark: stored, since };
}
