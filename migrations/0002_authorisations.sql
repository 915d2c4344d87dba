-- Up Migration

create table daybook.authorisation (
  authorisation_id uuid primary key default gen_random_uuid(),
  client_id text not null,
  kind text not null check (kind in ('oauth', 'custom')),
  -- Claim xero_userid of the access token; null when the server issues tokens that cannot be read.
  xero_userid text,
  status text not null default 'pending' check (status in ('pending', 'active', 'needsReconnect', 'revoked')),
  message text,
  scopes text[] not null default '{}',
  -- The token in use; 0 before the first. Only grows.
  generation int not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table daybook.authorisation is
  'One consent by one Xero user to one Xero app: one rotating token chain, which may cover several tenants.';
create unique index one_authorisation_per_user on daybook.authorisation (client_id, xero_userid)
  where xero_userid is not null;
create unique index one_custom_authorisation_per_app on daybook.authorisation (client_id) where kind = 'custom';

create table daybook.refresh_attempt (
  attempt_id uuid primary key default gen_random_uuid(),
  authorisation_id uuid not null references daybook.authorisation on delete cascade,
  from_generation int not null,
  started_at timestamptz not null default now(),
  outcome text check (outcome in ('stored', 'rejected', 'refused', 'unknown')),
  finished_at timestamptz,
  -- When a refresh that began at least 45 s after this attempt succeeded; a second one follows at 10 minutes.
  swept_at timestamptz,
  check ((outcome is null) = (finished_at is null))
);
comment on table daybook.refresh_attempt is
  'Written before Xero is asked for tokens: while outcome is null, Xero may have rotated a token that nobody stored.';
create index open_refresh_attempt on daybook.refresh_attempt (authorisation_id, started_at) where outcome is null;
create index refresh_attempt_by_authorisation on daybook.refresh_attempt (authorisation_id);

create table daybook.authorisation_token (
  authorisation_id uuid not null references daybook.authorisation on delete cascade,
  generation int not null check (generation > 0),
  -- The call that brought the pair: storing it twice is storing it once.
  attempt_id uuid not null unique,
  -- A JWE of the pair; null once pruned.
  sealed jsonb,
  -- By Xero's clock: which of two answers it gave last. Both times are otherwise Postgres's.
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  life_seconds int not null,
  first_used_at timestamptz,
  rejected_at timestamptz,
  stored_at timestamptz not null default now(),
  primary key (authorisation_id, generation)
);
comment on table daybook.authorisation_token is
  'Append-only: every pair that Xero ever gave is kept until it is worthless, whoever stored it and however late.';
comment on column daybook.authorisation_token.first_used_at is
  'When the refresh token was first spent; Xero takes it again for 30 minutes after that.';
