export { importJournals } from './import-journals.ts';
