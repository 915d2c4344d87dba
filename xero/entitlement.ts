import type { Entitlement } from '../model/entitlement.ts';
import type { Answered, XeroApi } from './api.ts';
import type { XeroFault } from './faults.ts';
import type { Secret } from './secret.ts';

export interface Probed {
  tenantId: string;
  accessToken: Secret;
  /** What the consent grants, as the token response says; empty when it does not say. */
  scopes: readonly string[];
  signal: AbortSignal;
  /** Makes a call, if the quota has a place for it. */
  ask: Ask;
}

/** A call that is not made, as none may be made now, and why. */
export interface NotAsked {
  kind: 'notAsked';
  message: string;
}

/** Makes a call within the quota, or does not make it. */
export type Ask = (send: () => Promise<Answered | XeroFault>) => Promise<Answered | XeroFault | NotAsked>;

/** Broad scopes of apps made before March 2026 include the granular ones; a writing scope includes reading. */
const sufficient = {
  journals: ['accounting.journals.read'],
  invoices: [
    'accounting.invoices.read',
    'accounting.invoices',
    'accounting.transactions.read',
    'accounting.transactions',
  ],
  'reference data': ['accounting.settings.read', 'accounting.settings'],
} as const;

/** Beyond any journal number, so that the answer is empty and as small as it can be. */
const beyondAll = 2_000_000_000;

/**
 * What a new connection can be used for, found out at once instead of at the first import: scopes as they were granted, and
 * one call each for what else Xero decides by (tier and approval for journals, the user's role). Two calls of the day's
 * quota; invoices are judged by their scope alone, as they need no tier.
 */
export async function probeEntitlement(api: XeroApi, probed: Probed): Promise<Entitlement[]> {
  const { tenantId, accessToken, signal, ask } = probed;
  const call = { tenantId, accessToken, signal };
  return [
    await judge(probed, 'journals', () => ask(() => api.journals({ ...call, offset: beyondAll }))),
    await judge(probed, 'invoices', null),
    await judge(probed, 'reference data', () => ask(() => api.organisation(call))),
  ];
}

async function judge(
  { scopes }: Probed,
  what: Entitlement['what'],
  probe: (() => ReturnType<Ask>) | null,
): Promise<Entitlement> {
  const [scope] = sufficient[what];
  if (scopes.length > 0 && !sufficient[what].some((each) => scopes.includes(each))) {
    const message = `The consent lacks the scope ${scope}, so ${what} cannot be imported. Add it to XERO_SCOPES (the Xero app must have it too) and connect again.`;
    return { what, works: false, message };
  }
  const answer = probe === null ? { kind: 'answered' as const } : await probe();
  if (answer.kind === 'answered') return { what, works: true, message: `${upperFirst(what)} can be imported.` };
  const decided = answer.kind === 'notEntitled' || answer.kind === 'disconnected' || answer.kind === 'refused';
  if (decided) return { what, works: false, message: answer.message };
  return { what, works: null, message: `Whether ${what} can be imported could not be tried now: ${answer.message}` };
}

function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
