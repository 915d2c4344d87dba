import { recordAct } from '../storage/audit.ts';
import { type Connection, findConnection, listConnections, storeConnection } from '../storage/connections.ts';
import type { Uncovered } from '../storage/coverage.ts';
import { inTransaction } from '../storage/pool.ts';
import { beginConsent, finishConsent, meantBy, type Organisation, type Reach } from './consent.ts';
import { requireGoodNames } from './names.ts';
import type { AdminPlace } from './place.ts';
import { ActRefused } from './refused.ts';

export interface NamedOrganisation {
  name: string;
  applications: string[];
  /** Which organisation, when the consent covers several. */
  tenantId?: string | undefined;
}

export interface Connected extends NamedOrganisation {
  authorisationId: string;
  tenantId: string;
  tenantName: string;
  /** Of a connection that is new: the names that its organisation has already. */
  otherNames: string[];
}

/** With the connections that share its authorisation, but that the consent does not cover. */
export interface ConnectedByConsent extends Connected {
  uncovered: Uncovered[];
}

/**
 * Connects an organisation under a name: consent, tokens (sealed into Postgres), the organisation, the applications.
 * `consent` takes the admin to Xero's consent page and returns the address Xero sends the browser back to.
 * @throws ActRefused with a sentence for the admin when it comes to nothing; nothing is connected then.
 */
export async function connectOrganisation(
  place: AdminPlace,
  wanted: NamedOrganisation,
  consent: (address: string) => Promise<string>,
): Promise<ConnectedByConsent> {
  requireGoodNames(wanted);
  const begun = await beginConsent(place);
  const callbackUrl = await consent(begun.address);
  const consented = await finishConsent(place, { callbackUrl, state: begun.state, codeVerifier: begun.codeVerifier });
  return { ...(await connectNamed(place, consented, wanted)), uncovered: consented.uncovered };
}

/**
 * Names an organisation of a consent, and says which applications may use it. A name that is there already for the same
 * organisation is reconnected: it gets this consent's authorisation and keeps its applications.
 * @throws ActRefused when the consent does not say which organisation, or the name is another's.
 */
export async function connectNamed(place: AdminPlace, consented: Reach, wanted: NamedOrganisation): Promise<Connected> {
  requireGoodNames(wanted);
  const { name } = wanted;
  const known = wanted.tenantId === undefined ? ((await findConnection(place.pool, name))?.tenantId ?? null) : null;
  const { tenantId, tenantName, xeroConnectionId } = choose(consented, wanted.tenantId, known);
  const { authorisationId } = consented;
  const stored = await inTransaction(place.pool, async (db) => {
    const all = await listConnections(db);
    const before = all.find((each) => each.name === name) ?? null;
    const stored = await storeConnection(db, { ...wanted, authorisationId, tenantId, tenantName, xeroConnectionId });
    if (stored === null) {
      throw new ActRefused(
        `The name "${name}" belongs to another organisation than "${tenantName}". Choose another name, or remove that connection first.`,
      );
    }
    const after = await findConnection(db, name);
    await recordAct(db, {
      actor: place.actor,
      act: before === null ? 'connect' : 'reconnect',
      subject: name,
      ...(before === null ? {} : { before: described(before) }),
      after: after === null ? null : described(after),
    });
    const others = before === null ? all.filter((each) => each.tenantId === tenantId) : [];
    return { applications: after?.applications ?? [], otherNames: others.map((each) => each.name) };
  });
  return { name, ...stored, authorisationId, tenantId, tenantName };
}

/** What the audit keeps of a connection. */
export function described({ tenantId, tenantName, authorisationId, applications }: Connection) {
  return { tenantId, tenantName, authorisationId, applications };
}

/**
 * `known` is the organisation that the name has already: it is meant where the consent names several, for then the name says
 * which; not where the consent names another one alone, which the name cannot be had for.
 */
function choose(
  { organisations, practices = [] }: Reach,
  tenantId: string | undefined,
  known: string | null,
): Organisation {
  const own = organisations.filter(({ ofThisConsent }) => ofThisConsent);
  const isOf = (tenant: string | null | undefined) => (each: Organisation) => each.tenantId === tenant;
  const meant =
    tenantId === undefined
      ? (own.find(isOf(known)) ?? meantBy(organisations) ?? organisations.find(isOf(known)))
      : organisations.find(isOf(tenantId));
  if (meant) return meant;
  const candidates = own.length > 0 && tenantId === undefined ? own : organisations;
  const list = candidates.map((each) => `\n  --tenant ${each.tenantId}   ${each.tenantName}`).join('');
  const practice = practices.find((each) => each.tenantId === tenantId);
  if (practice) {
    throw new ActRefused(
      `${practice.tenantName} (${practice.tenantId}) is a practice in Xero and no organisation, so it has no ledger to import. The consent covers:${list}`,
    );
  }
  throw new ActRefused(
    tenantId === undefined
      ? `The consent covers several organisations. Run it again with one of them, which asks for no other consent:${list}`
      : `The consent does not cover the tenant ${tenantId}. It covers:${list}`,
  );
}
