import { unknownType } from './unknown-type.ts';

export { importInvoices } from './import-invoices.ts';
export { importJournals } from './import-journals.ts';
export { keepAuthorisationsAlive } from './keep-authorisations-alive.ts';
export { reconcileLedger } from './reconcile-ledger.ts';

// biome-ignore lint/style/noDefaultExport: so Temporal calls what stands for all other types.
export default unknownType(['importJournals', 'importInvoices', 'reconcileLedger']);
