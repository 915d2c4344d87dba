import type { ImportJournalsRequest } from '../model/request.ts';
import type { ImportResult } from '../model/run.ts';
import { type Carried, runImport } from './import-loop.ts';

/**
 * Imports an organisation's journals into Postgres, a page at a time, and waits out Xero's limits on durable timers. Ends
 * when Xero has no more journals, when the last one wanted is stored, or when it is cancelled.
 *
 * @throws ApplicationFailure whose type is a `FailureName` and whose message says what happened and what to do.
 */
export function importJournals(request: ImportJournalsRequest, carried?: Carried): Promise<ImportResult> {
  return runImport('journals', request, carried);
}
