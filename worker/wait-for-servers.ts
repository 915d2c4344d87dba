import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError, NamespaceNotFoundError, ServiceError } from '@temporalio/client';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { openConnection, silences } from '../client/open-connection.ts';
import { unreachableTemporal } from '../config/unreachable.ts';
import { requireCurrent, UnfitDatabase } from '../storage/migrate.ts';
import { isAway } from '../storage/pool.ts';
import { ReadOnlyDatabase, requireWritable } from '../storage/writable.ts';

// What stays (a worker, the connect page, `up`) is started by machines, often before its servers are there. It waits for one
// that does not answer; one that answers and refuses (a password, a database, a migration that lacks) is for a person to
// mend, and ends it.

/** Who waits, as a sentence begins, and where that is said. */
export interface Waiting {
  who: string;
  say: (sentence: string) => void;
}

const firstPauseMs = 500;
const longestPauseMs = 15_000;

/**
 * Resolves once Postgres answers what is asked of it first: to have this program's tables, or to get them. One that takes no
 * writes may be a standby that is promoted in a moment.
 */
export function untilPostgresAnswers(ask: () => Promise<unknown>, waiting: Waiting): Promise<void> {
  const isSilent = (error: unknown) =>
    error instanceof ReadOnlyDatabase || isAway(error instanceof UnfitDatabase ? error.cause : error);
  return untilItAnswers(ask, isSilent, waiting);
}

/** Resolves once Postgres takes the writes of a process that has nothing to do without them. */
export function untilPostgresTakesWrites(databaseUrl: string, waiting: Waiting): Promise<void> {
  return untilPostgresAnswers(async () => {
    await requireCurrent(databaseUrl);
    await requireWritable(databaseUrl);
  }, waiting);
}

/**
 * Resolves once Temporal answers for the namespace. The worker's own connection would wait without end, and without a word, for a
 * server that takes it and is silent.
 * @throws NamespaceNotFoundError as {@link askTemporal} does.
 */
export function untilTemporalAnswers(temporal: ClientConnectConfig, waiting: Waiting): Promise<void> {
  const isQuiet = (error: unknown) => isSilence(error instanceof Error ? error.cause : error);
  return untilItAnswers(() => askTemporal(temporal), isQuiet, waiting);
}

/**
 * Resolves when Temporal answers for the namespace.
 * @throws NamespaceNotFoundError when it has none of this name, which the worker's own connection would not say in words.
 */
export async function askTemporal({ connectionOptions, namespace = 'default' }: ClientConnectConfig): Promise<void> {
  const unreachable = (error: unknown) => unreachableTemporal(connectionOptions.address, error);
  const connection = await openConnection(connectionOptions).catch((error: unknown) => {
    throw unreachable(error);
  });
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (error) {
    throw isGrpcServiceError(error) && error.code === notFound
      ? new NamespaceNotFoundError(namespace)
      : unreachable(error);
  } finally {
    await connection.close();
  }
}

/** NOT_FOUND of gRPC. */
const notFound = 5;

/** With RESOURCE_EXHAUSTED of gRPC: it is there, but not yet at work. */
const notYet = [...silences, 8];

/** Nobody was there; what is wrong with the address (a TypeError), or refused by the server, comes as another kind of error. */
function isSilence(error: unknown): boolean {
  if (error instanceof ServiceError) return isSilence(error.cause);
  if (isGrpcServiceError(error)) return notYet.includes(error.code);
  return error instanceof Error && !(error instanceof TypeError);
}

async function untilItAnswers(
  ask: () => Promise<unknown>,
  isSilent: (error: unknown) => boolean,
  { who, say }: Waiting,
): Promise<void> {
  // Nobody else heeds the signals yet (Temporal's runtime takes them for its workers); nothing is begun that must be finished.
  const leave = () => process.exit(0);
  process.once('SIGTERM', leave).once('SIGINT', leave);
  try {
    for (let pauseMs = firstPauseMs, isTold = false; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await ask();
        return;
      } catch (error) {
        if (!isSilent(error)) throw error;
        if (!isTold) say(`${(error as Error).message} ${who} waits for it.`);
        isTold = true;
        await sleep(pauseMs);
      }
    }
  } finally {
    process.off('SIGTERM', leave).off('SIGINT', leave);
  }
}
