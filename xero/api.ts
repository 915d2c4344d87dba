import type { AccountingApi } from 'xero-node/dist/gen/api/accountingApi.js';
import type { QuotaReading } from '../model/quota.ts';
import { invoicesPerPage } from '../model/streams.ts';
import { createConnections } from './connections.ts';
import { type Asked, badBody, factsOf, readFault, silence } from './errors.ts';
import type { XeroFault } from './faults.ts';
import {
  countRows,
  type InvoicePage,
  type JournalPage,
  type NotAPage,
  readContactPage,
  readInvoicePage,
  readJournalPage,
} from './pages.ts';
import { type Call, createTransport } from './transport.ts';
import { readTrialBalance, type TrialBalance } from './trial-balance.ts';

export interface XeroApiOptions {
  apiUrl: string;
  /** The whole call, body included. */
  timeoutMs: number;
  /** Largest answer accepted, unpacked. */
  maxBytes?: number;
  now: () => number;
}

/** Xero's answer, whole and checked. `body` is what it sent, untouched, in UTF-8: amounts in it are exact, so let Postgres parse it. */
export interface Answered {
  kind: 'answered';
  body: Buffer;
  /** Rows in the answer's array. */
  count: number;
  limits: QuotaReading;
  correlationId: string | null;
}

/** A page of journals; the numbers are those of `JournalPage`. */
export type AnsweredJournals = Answered & Omit<JournalPage, 'kind'>;

/** A page of contacts. `isLast` is what its pagination says; null where it says nothing: then an empty page is the end. */
export interface AnsweredContacts extends Answered {
  isLast: boolean | null;
}

export type ApiAnswer = Answered | XeroFault;
export type JournalsAnswer = AnsweredJournals | XeroFault;

export interface JournalsCall extends Call {
  /** A journal number, exclusive: the page holds journals after it. */
  offset: number;
  /** ISO instant in UTC; a date, or a time without zone, is taken as UTC. Compared by Xero with CreatedDateUTC. */
  modifiedSince?: string | undefined;
  /** Cash basis instead of accrual. */
  paymentsOnly?: boolean | undefined;
}

export interface ChangesCall extends Call {
  /** ISO instant in UTC, compared by Xero with UpdatedDateUTC. */
  modifiedSince?: string | undefined;
}

export interface ContactsCall extends ChangesCall {
  /** From 1. */
  page: number;
  pageSize: number;
}

/** A page of invoices; what it says of its place is that of `InvoicePage`. */
export type AnsweredInvoices = Answered & InvoicePage;

export type AnsweredTrialBalance = Answered & TrialBalance;

export interface TrialBalanceCall extends Call {
  /** YYYY-MM-DD, inclusive. */
  date: string;
  /** Cash basis instead of accrual. */
  paymentsOnly: boolean;
}

export interface InvoicesCall extends Call {
  /** From 1. */
  page: number;
  /** Whole seconds since 1970, compared by Xero with UpdatedDateUTC; null for all there is. */
  modifiedSince: number | null;
}

export type XeroApi = ReturnType<typeof createXeroApi>;

/** What is asked of an organisation. */
export type Endpoint = Exclude<keyof XeroApi, 'connections' | 'close'>;

/**
 * The adapter over xero-node's accounting API. Methods resolve with the answer or with a fault as a value; they throw
 * only what the caller's own signal carries when it is aborted, and errors of programming. No retries: the caller owns
 * permits and waiting, as every attempt costs a call of the organisation's quota.
 */
export function createXeroApi({ apiUrl, timeoutMs, maxBytes = 200_000_000, now }: XeroApiOptions) {
  const transport = createTransport(apiUrl, timeoutMs, maxBytes);

  async function ask<Facts extends { count: number }>(
    resource: string,
    call: Call,
    send: (api: AccountingApi) => Promise<unknown>,
    read: (body: Buffer) => Facts | NotAPage,
    asksForChanges = false,
  ): Promise<(Answered & Facts) | XeroFault> {
    const asked: Asked = { resource, subject: `the organisation ${call.tenantId}` };
    const response = await transport.send(call, send);
    if (response.kind === 'silent') return silence(response.cause, response.reason, asked);
    const unchanged = response.status === 304 && asksForChanges;
    if (!unchanged && (response.status < 200 || response.status > 299)) return readFault(response, asked, now());
    // So that every answer has a body that can be stored.
    const body = unchanged ? Buffer.from(`{"${resource}":[]}`) : response.body;
    const facts = read(body);
    if ('problem' in facts) return badBody(response, facts.problem, asked);
    return { kind: 'answered', body, ...factsOf(response.headers), ...facts };
  }

  const list = (name: string) => (body: Buffer) => countRows(body, name);

  return {
    /** GET /Journals: at most 100 after `offset`, ascending. */
    journals(call: JournalsCall): Promise<JournalsAnswer> {
      const since = sinceOf(call);
      return ask(
        'Journals',
        call,
        (api) => api.getJournals(call.tenantId, since, call.offset, call.paymentsOnly === true ? true : undefined),
        (body) => {
          const page = readJournalPage(body);
          if (page.kind === 'notAPage') return page;
          const { kind: _, ...facts } = page;
          return facts;
        },
        since !== undefined,
      );
    },
    /** GET /Invoices: a page of them in full, sales and bills of every status, the oldest change first. */
    invoices({ page, modifiedSince, ...call }: InvoicesCall): Promise<AnsweredInvoices | XeroFault> {
      const since = modifiedSince === null ? undefined : new Date(modifiedSince * 1_000);
      const none = undefined;
      return ask(
        'Invoices',
        call,
        (api) =>
          // After the order: ids, numbers, contacts, statuses, page, archived, created by my app, decimals, summary, page size.
          api.getInvoices(
            call.tenantId,
            since,
            none,
            'UpdatedDateUTC ASC',
            none,
            none,
            none,
            invoiceStatuses,
            page,
            true,
            none,
            4,
            none,
            invoicesPerPage,
          ),
        readInvoicePage,
        since !== undefined,
      );
    },
    /** GET /Organisation: an array of one. */
    organisation(call: Call): Promise<ApiAnswer> {
      return ask('Organisation', call, (api) => api.getOrganisations(call.tenantId), list('Organisations'));
    },
    /** GET /Accounts, archived ones too: all of them, or those modified since; not paged. */
    accounts(call: ChangesCall): Promise<ApiAnswer> {
      const since = sinceOf(call);
      const send = (api: AccountingApi) => api.getAccounts(call.tenantId, since);
      return ask('Accounts', call, send, list('Accounts'), since !== undefined);
    },
    /** GET /Contacts, archived ones too, the oldest change first. */
    contacts(call: ContactsCall): Promise<AnsweredContacts | XeroFault> {
      const since = sinceOf(call);
      const { tenantId, page, pageSize } = call;
      const order = 'UpdatedDateUTC ASC';
      return ask(
        'Contacts',
        call,
        (api) =>
          api.getContacts(tenantId, since, undefined, order, undefined, page, true, undefined, undefined, pageSize),
        readContactPage,
        since !== undefined,
      );
    },
    /** GET /TrackingCategories, archived ones too: old journals still name them. */
    trackingCategories(call: Call): Promise<ApiAnswer> {
      return ask(
        'TrackingCategories',
        call,
        (api) => api.getTrackingCategories(call.tenantId, undefined, undefined, true),
        list('TrackingCategories'),
      );
    },
    /** GET /Reports/TrialBalance: every account's balance as at a date, in one answer. */
    trialBalance({ date, paymentsOnly, ...call }: TrialBalanceCall): Promise<AnsweredTrialBalance | XeroFault> {
      return ask(
        'TrialBalance',
        call,
        (api) => api.getReportTrialBalance(call.tenantId, date, paymentsOnly ? true : undefined),
        readTrialBalance,
      );
    },
    /** Which organisations a token reaches. */
    connections: createConnections({ apiUrl, timeoutMs, now }),
    /** Closes the idle connections that are kept for the next call. */
    close: transport.close,
  };
}

function sinceOf({ modifiedSince }: ChangesCall): Date | undefined {
  return modifiedSince === undefined ? undefined : readInstant(modifiedSince);
}
/** Named one by one, as nobody documents whether deleted ones come unasked. */
const invoiceStatuses = ['DRAFT', 'SUBMITTED', 'AUTHORISED', 'PAID', 'VOIDED', 'DELETED'];

function readInstant(text: string): Date {
  const zoned = /(z|[+-]\d{2}:?\d{2})$/i.test(text) || !text.includes('T') ? text : `${text}Z`;
  const instant = new Date(zoned);
  if (Number.isNaN(instant.getTime()))
    throw new Error(`modifiedSince is "${text}", which is not an ISO date or instant.`);
  return instant;
}
