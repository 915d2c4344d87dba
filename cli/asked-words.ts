import { workflowTypes } from '../client/imports.ts';
import { connectionIn } from '../client/running.ts';
import { checkImport, type ImportKind } from '../model/request.ts';
import { type Stream, streamOf } from '../model/streams.ts';

// What an import was asked for: a request that its workflow was sent, whoever wrote it, so it may be anything.

/** In short words; none where it is no request. */
export function askedInWords(request: unknown): string {
  const asked = (request ?? {}) as { [field: string]: unknown };
  const { startingAtJournalId: from, endingAtJournalId: to, modifiedSince, full, basis } = asked;
  if (typeof asked.connection !== 'string') return '';
  const words = [
    ...(from === undefined && to === undefined ? [] : [`${from ?? 1} to ${to ?? 'the newest'}`]),
    ...(modifiedSince === undefined ? [] : [`modified since ${modifiedSince}`]),
    ...(full === true ? ['full'] : []),
  ];
  return [...(words.length === 0 ? ['what is new'] : words), ...(basis === 'cash' ? ['cash basis'] : [])].join(', ');
}

/** The application that a request names, whoever wrote it; null when it names none. */
export function applicationOf(request: unknown): string | null {
  const { application } = (request ?? {}) as { application?: unknown };
  return typeof application === 'string' ? application : null;
}

/** Of an import that has no row: what its row would say of the request. A request that is wrong is only shown. */
export interface AskedFor {
  connectionName: string | null;
  application: string | null;
  stream: Stream | null;
  range: { startingAt: number; endingAt: number | null } | null;
  modifiedSince: string | null;
  request: unknown;
}

export function askedFor(workflowType: string, request: unknown): AskedFor {
  const kind = (Object.keys(workflowTypes) as ImportKind[]).find((each) => workflowTypes[each] === workflowType);
  const checked = kind === undefined ? null : checkImport(kind, request);
  const named = { connectionName: connectionIn(request), application: applicationOf(request) };
  if (kind === undefined || !checked?.ok) return { ...named, stream: null, range: null, modifiedSince: null, request };
  const {
    startingAtJournalId: startingAt = 1,
    endingAtJournalId: endingAt = null,
    modifiedSince = null,
  } = checked.request;
  return { ...named, stream: streamOf(kind, checked.request), range: { startingAt, endingAt }, modifiedSince, request };
}
