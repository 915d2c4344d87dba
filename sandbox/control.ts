import type { Organisation } from './api/organisation.ts';
import type { JournalDraft } from './books/draft.ts';
import type { Invoice } from './books/invoice.ts';
import type { InvoiceDraft } from './books/invoice-draft.ts';
import type { Ledger } from './books/ledger.ts';
import type { SpecialKind } from './books/special.ts';
import type { ReportDifferences } from './books/trial-balance.ts';
import { type Answer, bodyText, type Exchange, jsonAnswer } from './exchange.ts';
import type { Fault } from './faults.ts';
import type { Limits } from './limits.ts';
import type { GraceVariant } from './options.ts';
import type { Sandbox } from './sandbox.ts';

type Body = Record<string, unknown>;

function organisationOf(sandbox: Sandbox, tenantId: unknown): Organisation {
  const found = sandbox.organisations.find(
    (each) => tenantId === undefined || tenantId === null || each.tenantId === tenantId,
  );
  if (!found) {
    const known = sandbox.organisations.map(({ name, tenantId: id }) => `${id} (${name})`).join(', ');
    throw new Error(`The sandbox has no organisation ${String(tenantId)}; it has ${known}.`);
  }
  return found;
}

function ledgerOf(sandbox: Sandbox, tenantId: unknown, basis: unknown): Ledger {
  const { books } = organisationOf(sandbox, tenantId);
  return basis === 'cash' ? books.cash : books;
}

/** One act of a person on invoices, by the act's name. */
function changeInvoices(sandbox: Sandbox, body: Body): Body {
  const { invoices } = organisationOf(sandbox, body.tenantId).books;
  const id = String(body.id);
  const draft = (body.invoice ?? {}) as InvoiceDraft;
  const done = ((): Invoice[] => {
    switch (body.act) {
      case 'edit':
        return [invoices.edit(id, draft)];
      case 'void':
        return [invoices.void(id)];
      case 'delete':
        return [invoices.delete(id)];
      case 'add':
        return Array.from({ length: typeof body.count === 'number' ? body.count : 1 }, () => invoices.add(draft));
      case 'touch':
        return invoices.touch(typeof body.count === 'number' ? body.count : [id]);
      default:
        throw new Error(`"act" is ${String(body.act)}; it must be edit, void, delete, add or touch.`);
    }
  })();
  return { ids: done.map((each) => each.id) };
}

function info(sandbox: Sandbox): Body {
  const { url, clientId, clientSecret } = sandbox;
  const organisations = sandbox.organisations.map(({ tenantId, name, books }) => ({
    tenantId,
    name,
    journals: books.count,
    lastNumber: books.lastNumber,
    cashJournals: books.cash.count,
  }));
  return {
    url,
    apiUrl: sandbox.apiUrl,
    identityUrl: sandbox.identityUrl,
    loginUrl: sandbox.loginUrl,
    clientId,
    clientSecret,
    organisations,
  };
}

function append(sandbox: Sandbox, body: Body): Body {
  const ledger = ledgerOf(sandbox, body.tenantId, body.basis);
  const number = typeof body.number === 'number' ? body.number : undefined;
  if (typeof body.special === 'string') return { numbers: [ledger.special(body.special as SpecialKind, number)] };
  const draft = (body.journal ?? {}) as JournalDraft;
  if (number !== undefined) return { numbers: [ledger.put(number, draft)] };
  const count = typeof body.count === 'number' ? body.count : 1;
  return { numbers: Array.from({ length: count }, () => ledger.append(draft)) };
}

const number = (text: string | null): number | undefined => (text === null ? undefined : Number(text));

function summary(sandbox: Sandbox, query: URLSearchParams): unknown {
  const from = number(query.get('from'));
  const to = number(query.get('to'));
  const since = query.get('createdSince');
  return ledgerOf(sandbox, query.get('tenantId'), query.get('basis')).summary({
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(since === null ? {} : { createdSince: Date.parse(since) }),
  });
}

function calls(sandbox: Sandbox, query: URLSearchParams): unknown {
  const tenantId = query.get('tenantId');
  const path = query.get('path');
  return sandbox.calls
    .all()
    .filter(
      (call) => (tenantId === null || call.tenantId === tenantId) && (path === null || call.path.startsWith(path)),
    );
}

/** Renames, recodes or archives an account, a tracking option or a contact. */
function changeReference(sandbox: Sandbox, body: Body): void {
  const { tenantId, account, category, option, contactId, ...change } = body;
  for (const name of Object.keys(change)) {
    if (!['name', 'code', 'status'].includes(name)) throw new Error(`"${name}" of reference data cannot be changed.`);
  }
  const { reference } = organisationOf(sandbox, tenantId).books;
  if (account !== undefined) reference.changeAccount(String(account), change);
  else if (option !== undefined) reference.changeOption(String(category), String(option), change);
  else reference.changeContact(String(contactId), change);
}

/** `METHOD /sandbox/…`: the same levers over HTTP that a program in this process pulls directly. */
const LEVERS: Record<string, (sandbox: Sandbox, body: Body, query: URLSearchParams) => unknown> = {
  'GET /sandbox': info,
  'GET /sandbox/summary': (sandbox, _, query) => summary(sandbox, query),
  'GET /sandbox/calls': (sandbox, _, query) => calls(sandbox, query),
  'DELETE /sandbox/calls': (sandbox) => sandbox.calls.reset(),
  'GET /sandbox/faults': (sandbox) => sandbox.faults.list(),
  'POST /sandbox/faults': (sandbox, body) => {
    sandbox.faults.add(...((Array.isArray(body) ? body : [body]) as Fault[]));
    return sandbox.faults.list();
  },
  'DELETE /sandbox/faults': (sandbox) => sandbox.faults.clear(),
  'GET /sandbox/limits': (sandbox) => sandbox.limits.current,
  'POST /sandbox/limits': (sandbox, body) => {
    sandbox.limits.set(body as Partial<Limits>);
    return sandbox.limits.current;
  },
  'DELETE /sandbox/limits': (sandbox) => sandbox.limits.reset(),
  'POST /sandbox/append': append,
  'POST /sandbox/invoices': (sandbox, body) => changeInvoices(sandbox, body),
  'POST /sandbox/edits': (sandbox, body) =>
    sandbox.setEdits(Number(body.perPage), typeof body.seed === 'number' ? body.seed : undefined),
  'POST /sandbox/reveal': (sandbox, body) => {
    const numbers = ledgerOf(sandbox, body.tenantId, body.basis).hidden();
    ledgerOf(sandbox, body.tenantId, body.basis).reveal();
    return { numbers };
  },
  'POST /sandbox/reference': changeReference,
  'POST /sandbox/report': (sandbox, body) => {
    const { tenantId, ...differences } = body;
    organisationOf(sandbox, tenantId).books.reportDifferences = differences as ReportDifferences;
  },
  'POST /sandbox/consent': (sandbox, body) => {
    const tenantIds = Array.isArray(body.tenantIds) ? (body.tenantIds as string[]) : null;
    for (const each of tenantIds ?? []) organisationOf(sandbox, each);
    const redirect = sandbox.consent(String(body.authorizeUrl), {
      ...(tenantIds === null ? {} : { tenantIds }),
      ...(body.deny === true ? { deny: true } : {}),
      ...(typeof body.userId === 'string' ? { userId: body.userId } : {}),
    });
    return { redirect };
  },
  'GET /sandbox/tokens': (sandbox) => ({
    calls: sandbox.tokens.calls,
    refreshes: sandbox.tokens.refreshes,
    accessTokens: sandbox.tokens.accessTokens,
    events: sandbox.tokens.events(),
  }),
  'POST /sandbox/tokens/expire': (sandbox) => sandbox.tokens.expireAccessTokens(),
  'POST /sandbox/tokens/revoke': (sandbox, body) =>
    sandbox.tokens.revoke(typeof body.authEventId === 'string' ? body.authEventId : undefined),
  'POST /sandbox/tokens/grace': (sandbox, body) => sandbox.tokens.setGrace(body.grace as GraceVariant),
  'POST /sandbox/disconnect': (sandbox, body) => sandbox.disconnect(String(body.tenantId)),
  'POST /sandbox/clock': (sandbox, body) => sandbox.advance(Number(body.advanceSeconds)),
  'POST /sandbox/latency': (sandbox, body) => sandbox.setLatency(Number(body.ms)),
};

/** Answers the control plane. A request that makes no sense gets 400 with a sentence. */
export async function answerControl(sandbox: Sandbox, exchange: Exchange): Promise<Answer> {
  const lever = LEVERS[`${exchange.method} ${exchange.path.replace(/\/$/, '')}`];
  if (!lever) return jsonAnswer(404, { error: 'The control plane has no such lever.', levers: Object.keys(LEVERS) });
  try {
    const text = await bodyText(exchange.request);
    const answer = lever(sandbox, text === '' ? {} : (JSON.parse(text) as Body), exchange.query);
    return jsonAnswer(200, answer ?? { ok: true });
  } catch (error) {
    return jsonAnswer(400, { error: error instanceof Error ? error.message : String(error) });
  }
}
