import type { Answer } from '../exchange.ts';
import { getContacts } from './contacts.ts';
import { getInvoice, getInvoices } from './invoices.ts';
import { getJournal, getJournals } from './journals.ts';
import { type Check, checks } from './parameters.ts';
import type { ApiRequest } from './request.ts';
import { getAccounts, getOrganisation, getTrackingCategories } from './settings.ts';
import { getTrialBalance } from './trial-balance.ts';

export interface Route {
  /** Matched against what follows `/api.xro/2.0/`. */
  readonly pattern: RegExp;
  /** Any one of these opens it. */
  readonly scopes: readonly string[];
  /** Needs the Advanced or Enterprise tier. */
  readonly premium?: boolean;
  readonly parameters: Readonly<Record<string, Check>>;
  readonly answer: (request: ApiRequest) => Answer;
}

const REPORTS = ['accounting.reports.trialbalance.read', 'accounting.reports.read'];
const SETTINGS = ['accounting.settings', 'accounting.settings.read'];
const CONTACTS = ['accounting.contacts', 'accounting.contacts.read'];
const INVOICES = [
  'accounting.invoices',
  'accounting.invoices.read',
  'accounting.transactions',
  'accounting.transactions.read',
];
const JOURNALS = ['accounting.journals.read'];

/** What the sandbox serves below `/api.xro/2.0/`; every other path is a 404. */
export const ROUTES: readonly Route[] = [
  {
    pattern: /^Journals$/,
    scopes: JOURNALS,
    premium: true,
    // Xero ignores `page` here: whoever sends it reads journals 1 to 100 for ever (xero-api.md §1).
    parameters: { offset: checks.whole, paymentsOnly: checks.truth, page: checks.anything },
    answer: getJournals,
  },
  { pattern: /^Journals\/([^/]+)$/, scopes: JOURNALS, premium: true, parameters: {}, answer: getJournal },
  {
    pattern: /^Invoices$/,
    scopes: INVOICES,
    parameters: {
      page: checks.atLeastOne,
      pageSize: checks.whole,
      order: checks.ordering,
      where: checks.anything,
      Statuses: checks.invoiceStatuses,
      IDs: checks.uuids,
      InvoiceNumbers: checks.anything,
      ContactIDs: checks.uuids,
      searchTerm: checks.anything,
      summaryOnly: checks.truth,
      includeArchived: checks.truth,
      createdByMyApp: checks.truth,
      unitdp: checks.unitDecimals,
    },
    answer: getInvoices,
  },
  {
    pattern: /^Invoices\/([^/]+)$/,
    scopes: INVOICES,
    parameters: { unitdp: checks.unitDecimals },
    answer: getInvoice,
  },
  {
    pattern: /^Reports\/TrialBalance$/,
    scopes: REPORTS,
    parameters: { date: checks.date, paymentsOnly: checks.truth },
    answer: getTrialBalance,
  },
  { pattern: /^Organisation$/, scopes: SETTINGS, parameters: {}, answer: getOrganisation },
  {
    pattern: /^Accounts$/,
    scopes: SETTINGS,
    parameters: { where: checks.anything, order: checks.ordering },
    answer: getAccounts,
  },
  {
    pattern: /^TrackingCategories$/,
    scopes: SETTINGS,
    parameters: { where: checks.anything, order: checks.ordering, includeArchived: checks.truth },
    answer: getTrackingCategories,
  },
  {
    pattern: /^Contacts$/,
    scopes: CONTACTS,
    parameters: {
      page: checks.atLeastOne,
      pageSize: checks.atLeastOne,
      includeArchived: checks.truth,
      summaryOnly: checks.truth,
      IDs: checks.uuids,
      order: checks.ordering,
      where: checks.anything,
      searchTerm: checks.anything,
    },
    answer: getContacts,
  },
];
