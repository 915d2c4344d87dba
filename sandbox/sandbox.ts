import type { Organisation } from './api/organisation.ts';
import type { Call, CallLog } from './calls.ts';
import type { FaultScript } from './faults.ts';
import type { TokenEvent } from './identity/token-endpoint.ts';
import type { TokenAnswer } from './identity/tokens.ts';
import type { LimitBook, Limits } from './limits.ts';
import type { GraceVariant } from './options.ts';

interface ConsentChoice {
  /** Default: all organisations. */
  tenantIds?: string[];
  /** Press Cancel. */
  deny?: boolean;
  /** Default: the sandbox's one user. */
  userId?: string;
}

interface TokenLevers {
  /** Requests that reached the token endpoint's work, refused ones included. */
  readonly calls: number;
  /** Refresh requests that were answered with new tokens. */
  readonly refreshes: number;
  /** Access tokens given out. */
  readonly accessTokens: number;
  /** Every token request in order. */
  events(): TokenEvent[];
  /** Every access token given out so far is expired from now on. */
  expireAccessTokens(): void;
  /** Ends one authorisation as a user would, or all; connections go with it. */
  revoke(authEventId?: string): void;
  /** Consents and exchanges in one step, past HTTP. Default: every scope, every organisation. */
  mint(wanted?: { scopes?: string[]; tenantIds?: string[]; userId?: string }): TokenAnswer & { authEventId: string };
  setGrace(variant: GraceVariant): void;
}

/** A running sandbox. */
export interface Sandbox {
  /** `http://127.0.0.1:<port>`; `http://localhost:<port>` reaches it, too. It is also the issuer. */
  readonly url: string;
  readonly apiUrl: string;
  readonly identityUrl: string;
  readonly loginUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly organisations: readonly Organisation[];
  readonly calls: CallLog;
  readonly faults: FaultScript;
  readonly limits: { readonly current: Readonly<Limits>; set: LimitBook['set']; reset(): void };
  readonly tokens: TokenLevers;
  /** Presses Allow (or Cancel) on the consent page of an authorize address; answers the address to be redirected to. */
  consent(authorizeUrl: string, choice?: ConsentChoice): string;
  /** Cuts an organisation off from outside. */
  disconnect(tenantId: string): void;
  /** Jumps the sandbox's clock ahead by real seconds: windows roll over, tokens age. */
  advance(realSeconds: number): void;
  /** Calls `listener` with every admitted call before its answer is made; what it changes is in the answer. Returns how to end it. */
  onCall(listener: (call: Call) => void): () => void;
  /** So many random edits of invoices before every page of them, from now on; 0 ends it. */
  setEdits(perPage: number, seed?: number): void;
  /** How long each API answer takes at least, from now on: real ms. */
  setLatency(ms: number): void;
  close(): Promise<void>;
}
