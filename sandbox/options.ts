import type { BooksOptions } from './books/books.ts';
import type { Limits } from './limits.ts';

/** What a used refresh token does inside the grace window (connections-and-reliability.md §2): Xero's way is undocumented. */
export type GraceVariant = 'sibling' | 'same' | 'latestWins' | 'none';

/** A Xero app. `web`: code flow with a secret; `native`: PKCE, no secret; `custom`: client_credentials for one organisation. */
export interface ClientApp {
  clientId: string;
  clientSecret?: string;
  kind: 'web' | 'native' | 'custom';
  /** For `custom`: its organisation. Default: the first. */
  tenantId?: string;
}

export interface OrganisationOptions extends Partial<BooksOptions> {
  name?: string;
  tenantId?: string;
  baseCurrency?: string;
  countryCode?: string;
}

/** Lifetimes in Xero's seconds; `timeScale` shortens them here. */
export interface TokenLifetimes {
  code: number;
  accessToken: number;
  idToken: number;
  refreshTokenIdle: number;
  grace: number;
}

export interface SandboxOptions {
  /** Default: any free port. */
  port?: number;
  seed?: number;
  /** How many to make, or what each should be like. Default 1. */
  organisations?: number | OrganisationOptions[];
  /** Journals of each organisation that does not say otherwise. Default: as many as the state file began with, or 4,000. */
  journals?: number;
  /** Invoices of each organisation that does not say otherwise. Default: as many as the journals name, and an eighth more. */
  invoices?: number;
  gapRate?: number;
  contiguous?: boolean;
  /** The books end just before this instant. Default: the last midnight UTC at least six hours before the sandbox (or its state file) began. */
  now?: Date;
  /** So many random edits of invoices before every page of them, by `seed`, which is printed. Default 0. */
  editsPerPage?: number;
  limits?: Partial<Limits>;
  /** How many of Xero's seconds pass in a real one. Default 1. */
  timeScale?: number;
  /** Every API answer takes at least this long: real milliseconds. */
  latencyMs?: number;
  /** Answer compressed when asked. Default true. */
  gzip?: boolean;
  /** The Xero app's pricing tier; journals need `advanced` or `enterprise`. Default `advanced`. */
  tier?: 'starter' | 'core' | 'plus' | 'advanced' | 'enterprise';
  clients?: ClientApp[];
  /** Scopes that the app may ask for. */
  scopes?: string[];
  redirectUris?: string[];
  /** Accept any `http://localhost:<port>/…` or `http://127.0.0.1:<port>/…`. Default true. */
  allowAnyLoopbackRedirect?: boolean;
  grace?: GraceVariant;
  /** A refresh token used after its grace kills the whole authorisation, as RFC 9700 advises. Default false. */
  reuseKillsAuthorisation?: boolean;
  lifetimes?: Partial<TokenLifetimes>;
  /** Keeps signing key, consents, refresh tokens and connections, so that a restarted sandbox still knows them. */
  stateFile?: string;
  /** How many calls the log keeps (oldest go first). Default 200,000. */
  callLogSize?: number;
  /** Where seeds of random faults are printed. Default: standard error. */
  print?: (line: string) => void;
}

export const DEFAULT_JOURNALS = 4_000;

export const DEFAULT_LIFETIMES: TokenLifetimes = {
  code: 300,
  accessToken: 1800,
  idToken: 300,
  refreshTokenIdle: 60 * 86_400,
  grace: 1800,
};

export const DEFAULT_CLIENTS: ClientApp[] = [
  { clientId: 'daybook-sandbox', clientSecret: 'sandbox-secret', kind: 'web' },
  { clientId: 'daybook-sandbox-native', kind: 'native' },
  { clientId: 'daybook-sandbox-custom', clientSecret: 'sandbox-secret', kind: 'custom' },
];

/** Granular and broad scopes side by side, as an app of before March 2026 has them (xero-api.md §4). */
export const DEFAULT_SCOPES = [
  'openid',
  'profile',
  'email',
  'offline_access',
  'accounting.journals.read',
  'accounting.invoices.read',
  'accounting.invoices',
  'accounting.payments.read',
  'accounting.banktransactions.read',
  'accounting.manualjournals.read',
  'accounting.settings',
  'accounting.settings.read',
  'accounting.contacts',
  'accounting.contacts.read',
  'accounting.transactions',
  'accounting.transactions.read',
  'accounting.reports.read',
  'accounting.reports.trialbalance.read',
  'accounting.attachments.read',
  'accounting.budgets.read',
];

export const DEFAULT_REDIRECT_URIS = ['http://localhost:8088/oauth/callback'];

export const DEFAULT_NAMES = [
  'Maple & Finch Ltd',
  'Østerbro Cycles ApS',
  'Harbour Street Dental',
  '合同会社カエデ',
  'Quill "Ink" & Sons',
];
