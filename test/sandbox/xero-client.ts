import { createHash } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { Sandbox, SandboxOptions } from '../../sandbox/server.ts';
import { startSandbox } from '../../sandbox/server.ts';

export const REDIRECT = 'http://localhost:8088/oauth/callback';

/** A sandbox that ends with its test. */
export async function sandboxFor(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ journals: 250, now: new Date('2026-11-22T00:00:00Z'), ...options });
  onTestFinished(() => sandbox.close());
  return sandbox;
}

export interface Answered {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers are read field by field.
  json: any;
}

async function answered(response: Response): Promise<Answered> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') && text !== '';
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}

export type Get = (path: string, headers?: Record<string, string | null>) => Promise<Answered>;

/** A caller of the accounting API with a good token and tenant; a header of null is left out. */
export function caller(sandbox: Sandbox, index = 0, token = sandbox.tokens.mint().access_token): Get {
  const tenantId = sandbox.organisations[index]?.tenantId ?? '';
  return async (path, more = {}) => {
    const all = { authorization: `Bearer ${token}`, accept: 'application/json', 'xero-tenant-id': tenantId, ...more };
    const headers = Object.fromEntries(
      Object.entries(all).filter((each): each is [string, string] => each[1] !== null),
    );
    const target = path.startsWith('/') ? path : `/api.xro/2.0/${path}`;
    return answered(await fetch(sandbox.apiUrl + target, { headers }));
  };
}

export async function readAll(get: Get, cash = false): Promise<number[]> {
  const numbers: number[] = [];
  for (let offset = 0; ; offset = numbers.at(-1) ?? 0) {
    const { json } = await get(`Journals?offset=${offset}${cash ? '&paymentsOnly=true' : ''}`);
    if (json.Journals.length === 0) return numbers;
    for (const journal of json.Journals) numbers.push(journal.JournalNumber);
  }
}

export async function tokenRequest(
  sandbox: Sandbox,
  form: Record<string, string>,
  as: { id: string; secret?: string } = { id: sandbox.clientId, secret: sandbox.clientSecret },
): Promise<Answered> {
  const headers: Record<string, string> = {};
  if (as.secret === undefined) form = { ...form, client_id: as.id };
  else headers.authorization = `Basic ${Buffer.from(`${as.id}:${as.secret}`).toString('base64')}`;
  const body = new URLSearchParams(form);
  return answered(await fetch(`${sandbox.identityUrl}/connect/token`, { method: 'POST', headers, body }));
}

export const refresh = (sandbox: Sandbox, token: string): Promise<Answered> =>
  tokenRequest(sandbox, { grant_type: 'refresh_token', refresh_token: token });

export const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url');

export function authorizeUrl(sandbox: Sandbox, more: Record<string, string> = {}): string {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: sandbox.clientId,
    redirect_uri: REDIRECT,
    scope: 'openid offline_access accounting.journals.read accounting.settings.read',
    state: 'st&te',
    ...more,
  });
  return `${sandbox.loginUrl}/identity/connect/authorize?${query}`;
}

/** Presses a button on the consent page as a program does: one POST, the answer read from Location. */
export async function press(address: string, action: 'allow' | 'cancel', tenantIds: string[]): Promise<URL> {
  const body = new URLSearchParams({ action });
  for (const id of tenantIds) body.append('tenant', id);
  const response = await fetch(address, { method: 'POST', body, redirect: 'manual' });
  const location = response.headers.get('location');
  if (location === null) throw new Error(`No redirect but ${response.status}.`);
  return new URL(location);
}

export async function codeFor(sandbox: Sandbox, more: Record<string, string> = {}): Promise<string> {
  const target = await press(
    authorizeUrl(sandbox, more),
    'allow',
    sandbox.organisations.map((each) => each.tenantId),
  );
  return target.searchParams.get('code') ?? '';
}
