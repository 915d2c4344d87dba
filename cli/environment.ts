import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { type Config, ConfigurationError } from '../config/config.ts';
import { lockOwner } from '../embedded/lock.ts';
import { runningPostgres } from '../embedded/postgres.ts';
import { runningTemporal } from '../embedded/temporal.ts';
import type { XeroApp } from '../model/xero-app.ts';
import { createKeyRing } from '../xero/sealing.ts';
import { runningSandbox } from './sandbox-file.ts';
import { ownTokenKeys } from './token-keys.ts';

/** Where everything is that a command speaks to. Each part throws a sentence with the remedy when it is nowhere. */
export interface Reach {
  databaseUrl(): string;
  temporal(): ClientConnectConfig;
  /** What to do when one that was found does not answer; nothing special where it is configured. */
  remedies: { postgres: string | undefined; temporal: string | undefined };
  xero(): XeroApp;
  tokenKeys(): string;
}

/** Finds what is configured, or else what a `daybook up` in the same data folder has started. */
export function reach(config: Config): Reach {
  return {
    databaseUrl: () =>
      config.databaseUrl ??
      runningPostgres(config.dataDir)?.url ??
      nowhere(config, 'Postgres', 'DATABASE_URL', 'postgres.log'),
    temporal: () => (config.temporalConfigured ? configuredTemporal() : embeddedTemporal(config)),
    remedies: {
      postgres: config.databaseUrl === null ? startAgain(config) : undefined,
      temporal: config.temporalConfigured ? undefined : startAgain(config),
    },
    xero: () =>
      config.xero ??
      runningSandbox(config.dataDir, config.redirectUri) ??
      nowhere(config, 'Xero', 'XERO_CLIENT_ID and XERO_CLIENT_SECRET'),
    tokenKeys: () => checked(config.tokenKeys ?? ownTokenKeys(config)),
  };
}

function configuredTemporal(): ClientConnectConfig {
  const { TEMPORAL_PROFILE: profile, TEMPORAL_CONFIG_FILE: named } = process.env;
  // Without a profile to look for, the library takes a file that is not there for an empty one.
  if (named && !profile && !existsSync(named)) {
    throw new ConfigurationError(
      `TEMPORAL_CONFIG_FILE names ${named}, where no file is. Put temporal.toml there, or leave the variable out.`,
    );
  }
  try {
    return loadClientConnectConfig();
  } catch (error) {
    const file = named || 'temporal.toml, in its usual place as TEMPORAL_CONFIG_FILE is not set';
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError(
      profile && reason.startsWith('Profile ')
        ? `TEMPORAL_PROFILE names "${profile}", which is no profile of the file ${file}. Add it there, or name one that it has.`
        : `Where Temporal is cannot be read from TEMPORAL_… and the file ${file}: ${reason}. Put it right.`,
      { cause: error },
    );
  }
}

function embeddedTemporal(config: Config): ClientConnectConfig {
  const { address } =
    runningTemporal(config.dataDir) ?? nowhere(config, 'Temporal', 'TEMPORAL_ADDRESS', 'temporal.log');
  return { connectionOptions: { address }, namespace: 'default' };
}

function startAgain({ dataDir }: Config): string {
  return `It is the embedded one of the data folder ${dataDir}: stop the \`daybook up\` that runs there, and start it again.`;
}

/** `log` is that of the embedded server. */
function nowhere({ dataDir }: Config, what: string, variables: string, log?: string): never {
  const up = lockOwner(upLock(dataDir));
  if (up !== undefined) {
    const see = log === undefined ? '' : `${join(dataDir, log)}, or `;
    throw new ConfigurationError(
      `\`daybook up\` (process ${up.pid}) runs in ${dataDir}, but its ${what} does not, or not yet: see ${see}\`daybook doctor\`.`,
    );
  }
  throw new ConfigurationError(
    `No ${what} is configured or running. Start \`npx daybook up\` in another terminal, or set ${variables}.`,
  );
}

/** Held by the `daybook up` of a data folder. */
export function upLock(dataDir: string): string {
  return join(dataDir, 'up.lock');
}

/** Keys that cannot seal are found before anything is started or stored. */
function checked(tokenKeys: string): string {
  try {
    createKeyRing(tokenKeys);
    return tokenKeys;
  } catch (error) {
    throw new ConfigurationError(error instanceof Error ? error.message : String(error));
  }
}
