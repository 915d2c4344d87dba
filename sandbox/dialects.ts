import { randomUUID } from 'node:crypto';
import { type Answer, htmlAnswer, jsonAnswer, textAnswer } from './exchange.ts';

// Xero speaks four error dialects: validation envelope, problem envelope, plain text, OAuth snake_case (xero-api.md §7).

function problem(status: number, title: string, detail: string, headers: Record<string, string> = {}): Answer {
  return jsonAnswer(
    status,
    { Type: null, Title: title, Status: status, Detail: detail, Instance: randomUUID(), Extensions: {} },
    headers,
  );
}

const two = (n: number): string => String(n).padStart(2, '0');

/** `02/20/2025 08:32:50`, as in Xero's TokenExpired detail. */
function usTime(ms: number): string {
  const d = new Date(ms);
  return `${two(d.getUTCMonth() + 1)}/${two(d.getUTCDate())}/${d.getUTCFullYear()} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
}

export const tokenExpired = (expiredMs: number): Answer =>
  problem(401, 'Unauthorized', `TokenExpired: token expired at ${usTime(expiredMs)}`);
export const authenticationUnsuccessful = (): Answer => problem(401, 'Unauthorized', 'AuthenticationUnsuccessful');
// "insufficent" is Xero's own spelling.
export const authorizationUnsuccessful = (): Answer =>
  problem(401, 'Unauthorized', 'AuthorizationUnsuccessful', { 'www-authenticate': 'insufficent_scope' });
export const tenantForbidden = (): Answer => problem(403, 'Forbidden', 'AuthenticationUnsuccessful');
export const roleForbidden = (): Answer =>
  problem(403, 'Forbidden', "User doesn't have permission to access the resource");
export const notFound = (): Answer => problem(404, 'Not Found', 'The resource you have specified cannot be found');
export const methodNotAllowed = (): Answer => ({ ...problem(405, 'Method Not Allowed', 'GET only'), status: 405 });
export const notImplemented = (what: string): Answer => problem(501, 'Not Implemented', what);
export const serverError = (): Answer =>
  problem(
    500,
    'An error occurred',
    'An error occurred in Xero. Check the API Status page http://status.developer.xero.com for current service status.',
  );
export const preconditionFailed = (detail: string): Answer => problem(412, 'Precondition Failed', detail);

export function validationFailed(message: string): Answer {
  return jsonAnswer(400, {
    ErrorNumber: 10,
    Type: 'ValidationException',
    Message: 'A validation exception occurred',
    Elements: [{ ValidationErrors: [{ Message: message }] }],
  });
}

/** Without `Accept: application/json` Xero answers XML. Nobody here reads XML, so the sandbox refuses, in XML. */
export const xmlRefused = (): Answer => ({
  status: 406,
  headers: { 'content-type': 'text/xml; charset=utf-8' },
  body: '<?xml version="1.0" encoding="utf-8"?>\n<ApiException><ErrorNumber>0</ErrorNumber><Type>NotAcceptable</Type><Message>Send Accept: application/json. Xero would have answered XML here.</Message></ApiException>',
});

/** A proxy's page, as it comes when something between us and Xero breaks. */
export const gatewayPage = (status: number, title: string): Answer =>
  htmlAnswer(
    status,
    `<html>\r\n<head><title>${status} ${title}</title></head>\r\n<body><center><h1>${status} ${title}</h1></center></body>\r\n</html>\r\n`,
  );

export const organisationOffline = (): Answer => textAnswer(503, 'The Organisation is offline');
export const maintenance = (): Answer => textAnswer(503, 'The Xero API is currently offline for maintenance');

export const oauthError = (status: number, error: string, headers: Record<string, string> = {}): Answer =>
  jsonAnswer(status, { error }, { 'cache-control': 'no-store', ...headers });
