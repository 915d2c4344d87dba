import type { ImportInvoicesRequest } from '../model/request.ts';
import type { ImportResult } from '../model/run.ts';
import { type Carried, runImport } from './import-loop.ts';

/**
 * Imports an organisation's invoices, sales and bills of every status, at their newest state. Ends when a last look finds
 * nothing newer than what was read, or when it is cancelled.
 *
 * @throws ApplicationFailure whose type is a `FailureName` and whose message says what happened and what to do.
 */
export function importInvoices(request: ImportInvoicesRequest, carried?: Carried): Promise<ImportResult> {
  return runImport('invoices', request, carried);
}
