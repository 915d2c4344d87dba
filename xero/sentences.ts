import type { LimitName } from '../model/run.ts';
import type { Asked } from './errors.ts';

/** What a 401 or a 403 means; Xero puts the difference into Detail, or into WWW-Authenticate where there is no body. */
export function nameProblem(status: 401 | 403, complaint: string, challenge: string) {
  const said = `${complaint} ${challenge}`.replaceAll(/[\s_]/g, '').toLowerCase();
  // Xero spells it "insufficent_scope"; some apps without the journals tier see 403 where others see 401.
  if (/authorizationunsuccessful|insuffici?ent?scope/.test(said)) return 'notEntitled';
  if (status === 403) return /permission/.test(said) ? 'notEntitled' : 'disconnected';
  return /token(has)?expired|expiredtoken/.test(said) ? 'tokenExpired' : 'tokenRejected';
}

const limitNames: Record<LimitName, string> = {
  minute: 'calls a minute for this organisation',
  day: 'calls a day for this organisation',
  concurrent: 'calls at once for this organisation',
  appMinute: 'calls a minute for the whole Xero app',
};

const scopes: Record<string, string> = {
  Journals: 'accounting.journals.read',
  Invoices: 'accounting.invoices.read',
  Organisation: 'accounting.settings.read',
  Accounts: 'accounting.settings.read',
  Contacts: 'accounting.contacts.read',
  TrackingCategories: 'accounting.settings.read',
  TrialBalance: 'accounting.reports.trialbalance.read',
};

/** The sentences of one call's faults: what happened, to whom, what to do. */
export function sentences({ resource, subject }: Asked, complaint: string) {
  const quoted = complaint === '' ? '' : ` It says: “${complaint}”.`;
  return {
    throttled: (window: LimitName, seconds: number | null) =>
      `Xero's limit of ${limitNames[window]} is spent (asking for ${resource} of ${subject}); ${seconds === null ? 'it names no time to wait' : `it asks for ${seconds} s of patience`}.`,
    tokenExpired: () => `The access token for ${subject} has expired. It is refreshed by itself.`,
    tokenRejected: () =>
      `Xero does not accept the access token for ${subject}.${quoted} If a refreshed one is refused too, connect the organisation again with \`daybook connect\`.`,
    notEntitled: () => {
      const scope = scopes[resource];
      const asks = scope === undefined ? 'the scope for this resource' : `the scope ${scope}`;
      const tier =
        resource === 'Journals'
          ? ' the Xero app is on the Advanced tier or above, with Xero’s approval for journals (security assessment and use case);'
          : '';
      return `Xero does not let this app read ${resource} of ${subject}.${quoted} Check that${tier} the consent has ${asks} (else connect again); and the role of the Xero user who consented allows it${resource === 'Journals' ? ' (reports and the journal report)' : resource === 'TrialBalance' ? ' (reports)' : ''}.`;
    },
    disconnected: () =>
      `${upperFirst(subject)} is not connected to this Xero app any more (the app was disconnected in Xero, the user lost access, or the organisation was closed).${quoted} Connect it again with \`daybook connect\`.`,
    offline: () => `${subject} is offline at Xero for some minutes`,
    refused: (status: number) =>
      status >= 300 && status < 400
        ? `Asked for ${resource} of ${subject}, the server answered with a redirection (${status}), which is not followed because the token would go with it. Check XERO_API_URL.`
        : `Xero refused the call for ${resource} of ${subject} (${status}).${quoted} Repeating it will not help.`,
  };
}

function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
