export { importJournals } from './import-journals.ts';
export { keepAuthorisationsAlive } from './keep-authorisations-alive.ts';
