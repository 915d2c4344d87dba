import type { Entitlement } from '../model/entitlement.ts';
import type { XeroApi } from './api.ts';
import type { XeroFault } from './faults.ts';
import type { Secret } from './secret.ts';

export interface Probed {
  tenantId: string;
  accessToken: Secret;
  /** What the consent grants, as the token response says; empty when it does not say. */
  scopes: readonly string[];
  signal: AbortSignal;
  /** Until when Xero refuses all calls, as it said before; null when it does not. */
  refusedUntil: Date | null;
}

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
 * quota, the second only where the first met no limit; invoices are judged by their scope alone, as they need no tier.
 */
export async function probeEntitlement(api: XeroApi, probed: Probed): Promise<Entitlement[]> {
  const { tenantId, accessToken, signal } = probed;
  const call = { tenantId, accessToken, signal };
  let limited = probed.refusedUntil === null ? null : `Xero refuses calls until ${probed.refusedUntil.toISOString()}.`;
  const unlessLimited = (ask: () => Promise<{ kind: 'answered' } | XeroFault>) => async () => {
    if (limited !== null) return { kind: 'notAsked' as const, message: limited };
    const answer = await ask();
    if (answer.kind === 'throttled') limited = answer.message;
    return answer;
  };
  return [
    await judge(
      probed,
      'journals',
      unlessLimited(() => api.journals({ ...call, offset: beyondAll })),
    ),
    await judge(probed, 'invoices', null),
    await judge(
      probed,
      'reference data',
      unlessLimited(() => api.organisation(call)),
    ),
  ];
}

async function judge(
  { scopes }: Probed,
  what: Entitlement['what'],
  probe: (() => Promise<{ kind: 'answered' } | { kind: 'notAsked'; message: string } | XeroFault>) | null,
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
