import { withItsNumber } from '../xero/errors.ts';
import type { XeroFault } from '../xero/faults.ts';
import type { Secret } from '../xero/secret.ts';
import type { Caller } from './call-xero.ts';
import type { Dependencies } from './index.ts';

type Refusal = Extract<XeroFault, { kind: 'notEntitled' | 'disconnected' }>;
type Entitlement = Extract<XeroFault, { kind: 'notEntitled' }>;

/**
 * What a 401 or 403 that no refresh mends is about, as Xero's words alone do not tell: an organisation that is not in
 * `/connections` any more (disconnected in Xero, or its user removed) needs a new consent, which an import waits for; one that
 * is there lacks the tier, the scope or the role, and waiting would be in vain. Costs a call of the app's minute, none of
 * the organisation's. `unsure` where Xero's refusal says that it is not connected, and its list could not be read.
 */
export async function diagnoseRefusal(
  { xero }: Pick<Dependencies, 'xero'>,
  { tenantId }: Caller,
  refusal: Refusal,
  call: { accessToken: Secret; signal: AbortSignal },
): Promise<{ kind: 'needsReconnect' | 'unsure'; message: string } | Entitlement> {
  const answer = await xero.connections.list(call);
  const connected = answer.kind === 'answered' && answer.connections.some((each) => each.tenantId === tenantId);
  if (answer.kind === 'answered' && !connected) {
    return {
      kind: 'needsReconnect',
      message: `the organisation ${tenantId} is not connected to this Xero app any more`,
    };
  }
  if (refusal.kind === 'notEntitled') return refusal;
  if (!connected) return { kind: 'unsure', message: refusal.message };
  const { detail, limits, correlationId } = refusal;
  const message = `Xero refuses (${detail || 'without a word'}) although the organisation ${tenantId} is connected: the role of the Xero user who consented does not reach this, or the consent lacks a scope. Give that user a role that reads reports in Xero, or connect again as another user with \`daybook connect\`.`;
  return withItsNumber({ kind: 'notEntitled' as const, detail, limits, correlationId, message });
}
