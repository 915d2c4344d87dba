import type { ImportRequest } from './request.ts';
import { readThrough } from './run.ts';
import { type Stream, streams } from './streams.ts';

/** What a request asks for, in words for the Temporal UI and the plan. */
export function wanted(stream: Stream, request: ImportRequest, cursor: number | null): string {
  const { startingAtJournalId: from, endingAtJournalId: to, modifiedSince, full } = request;
  const what = streams[stream].name;
  const parts = [];
  if (from !== undefined || to !== undefined) parts.push(`${what} ${from ?? 1} to ${to ?? 'the newest'}`);
  if (modifiedSince !== undefined) parts.push(`${parts.length > 0 ? '' : `${what} `}modified since ${modifiedSince}`);
  if (parts.length > 0) return parts.join(', ');
  return full || cursor === 0 ? `all ${what}` : `new ${what} after ${readThrough(stream, cursor)}`;
}
