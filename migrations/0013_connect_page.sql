-- Up Migration

-- The connect page. Of links, sessions and states only SHA-256 hashes are kept, so that nothing in a dump opens a door.
create table daybook.web_link (
  link_hash bytea primary key,
  -- Who asked for the link, for the audit.
  actor text not null,
  expires_at timestamptz not null
);
comment on table daybook.web_link is 'Links to the connect page that were printed and not used yet: each opens one session, once.';

create table daybook.web_session (
  session_hash bytea primary key,
  actor text not null,
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- What the next page says of the act before it.
  notices jsonb not null default '[]'
);
comment on table daybook.web_session is 'Who is on the connect page: for 12 hours at most, and 30 minutes without a request.';

create table daybook.web_consent (
  state_hash bytea primary key,
  session_hash bytea not null references daybook.web_session on delete cascade,
  -- A JWE of the PKCE verifier.
  sealed jsonb not null,
  -- The connection to be reconnected; null for a new one.
  reconnects text,
  expires_at timestamptz not null
);
comment on table daybook.web_consent is
  'Consents that were begun on the connect page: taken out by the callback, which only the same session can bring.';

create table daybook.web_setup (
  setup_id uuid primary key default gen_random_uuid(),
  session_hash bytea not null references daybook.web_session on delete cascade,
  authorisation_id uuid not null references daybook.authorisation on delete cascade,
  organisations jsonb not null,
  expires_at timestamptz not null
);
comment on table daybook.web_setup is 'Consents that were given and whose organisations are to be named.';

create table daybook.consent_handover (
  state_hash bytea primary key,
  -- A JWE of the address that Xero sent the browser back to; null until it came.
  sealed jsonb,
  expires_at timestamptz not null
);
comment on table daybook.consent_handover is
  'Consents that a terminal waits for while the connect page has the port of the callback.';
