export { importInvoices } from './import-invoices.ts';
export { importJournals } from './import-journals.ts';
export { keepAuthorisationsAlive } from './keep-authorisations-alive.ts';
export { reconcileLedger } from './reconcile-ledger.ts';
