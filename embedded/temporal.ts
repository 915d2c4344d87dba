import { join, resolve } from 'node:path';
import { makeDataFolder, narrow } from './data-folder.ts';
import { launch } from './launch.ts';
import { lastLines } from './log-file.ts';
import { choosePort } from './ports.ts';
import { type Ownership, ownOrJoin, runningServer, type ServerState } from './shared-server.ts';
import { supervise } from './supervise.ts';

/** The database and, beside it, SQLite's files of what is not in it yet. */
const databaseFiles = ['temporal.db', 'temporal.db-wal', 'temporal.db-shm'];

/** The types Temporal's dev server can register, in the CLI's spelling. */
type SearchAttributeType = 'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList';

export interface EmbeddedTemporal {
  /** host:port for clients and workers; no TLS. */
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string;
  /** Whether another process owns the server; then `stop` leaves it running. */
  readonly shared: boolean;
  pid(): number | undefined;
  stop(): Promise<void>;
}

export interface TemporalOptions {
  /** The `temporal` command, from `findTemporal`. */
  readonly executable: string;
  /** Daybook's data folder; the server's database is `temporal.db` in it, its log `temporal.log`. */
  readonly dataDir: string;
  /** Taken literally; without it the port of the last time, 7233, or any free one. */
  readonly port?: number;
  /** Taken literally; without it the port of the last time, 8233, or any free one. */
  readonly uiPort?: number;
  readonly namespace?: string;
  readonly searchAttributes?: Readonly<Record<string, SearchAttributeType>>;
  /** How long finished runs stay visible, in days. Default 30. */
  readonly retentionDays?: number;
  readonly onLine: (line: string) => void;
  /** Off only where data may be lost on a power cut (tests). Default on. */
  readonly fsync?: boolean;
}

const NAME = 'temporal';
const STOP_GRACE_MS = 15_000;

/**
 * Starts Temporal's dev server on this machine and keeps it running until `stop`, or joins the one another living
 * process runs in the same data folder. Rejects when it does not come up, with the end of its log.
 */
export async function startTemporal(options: TemporalOptions): Promise<EmbeddedTemporal> {
  const dataDir = resolve(options.dataDir);
  const namespace = options.namespace ?? 'default';
  makeDataFolder(dataDir);
  return ownOrJoin<EmbeddedTemporal>({
    name: NAME,
    dataDir,
    stopSignal: 'SIGTERM',
    stopGraceMs: STOP_GRACE_MS,
    onLine: options.onLine,
    own: (ownership) => runTemporal({ ...options, dataDir, namespace }, ownership),
    join: async (state) => ({
      ...addressesOf(state),
      namespace,
      shared: true,
      pid: () => runningServer(dataDir, NAME)?.child.pid,
      stop: async () => undefined,
    }),
  });
}

/** The address of the embedded Temporal if one runs in this data folder now; nothing is started. */
export function runningTemporal(dataDir: string): { address: string; uiUrl: string } | undefined {
  const state: ServerState | undefined = runningServer(resolve(dataDir), NAME);
  return state && addressesOf(state);
}

async function runTemporal(
  options: TemporalOptions & { namespace: string },
  ownership: Ownership,
): Promise<EmbeddedTemporal> {
  const { dataDir, namespace, onLine } = options;
  const { previous } = ownership;
  const logFile = join(dataDir, 'temporal.log');
  // Older versions let the server make them readable to all.
  for (const name of databaseFiles) narrow(join(dataDir, name), 0o600);
  const api = await choosePort('The embedded Temporal server', options.port, [previous?.port, 7233]);
  const ui = await choosePort("Temporal's web interface", options.uiPort, [previous?.uiPort, 8233]);
  const release = () => {
    api.release();
    ui.release();
  };
  const [port, uiPort] = [api.port, ui.port];
  const { address, uiUrl } = addressesOf({ port, uiPort });
  const server = await supervise({
    name: 'The embedded Temporal server',
    launch: async () =>
      launch({
        command: options.executable,
        args: serverArguments(options, port, uiPort),
        logFile,
        cwd: dataDir,
        deathSignal: 'SIGTERM',
      }),
    untilReady: async (signal) => {
      // Loaded here: who only asks where the server is does without Temporal's client.
      const { untilServing } = await import('./temporal-ready.ts');
      await untilServing({ address, namespace, retentionDays: options.retentionDays ?? 30, signal });
    },
    onReady: (pid) => ownership.publish(pid, { port, uiPort }),
    lastWords: () => lastLines(logFile),
    stopSignal: 'SIGTERM',
    stopGraceMs: STOP_GRACE_MS,
    readyWithinMs: 60_000,
    onLine,
  }).catch((error) => {
    release();
    throw error;
  });
  return {
    address,
    namespace,
    uiUrl,
    shared: false,
    pid: server.pid,
    stop: async () => {
      await server.stop();
      release();
      ownership.release();
    },
  };
}

function serverArguments(options: TemporalOptions & { namespace: string }, port: number, uiPort: number): string[] {
  const dynamicConfig = {
    // Both are about a sequential page loop, which otherwise waits 50 ms twice a page on a dev server.
    'system.enableActivityEagerExecution': true,
    'history.transferProcessorMaxPollRPS': 1000,
    // One queue instead of four parts of it, each with an order of its own: imports have their turns in the order in which they ask.
    'matching.numTaskqueueReadPartitions': 1,
    'matching.numTaskqueueWritePartitions': 1,
    // It heeds priorities, as newer servers do of themselves: first turns go ahead of later ones.
    'matching.useNewMatcher': true,
    // `temporal worker list`: which workers are alive.
    'frontend.WorkerHeartbeatsEnabled': true,
    'frontend.ListWorkersEnabled': true,
  };
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
    ...['--db-filename', join(options.dataDir, 'temporal.db'), '--log-level', 'warn', '--color', 'never'],
    // A profile or TEMPORAL_* variable of the user names the server to talk to; this one is to be a server.
    ...['--disable-config-env', '--disable-config-file'],
    // With a write-ahead log one sync makes a commit durable, instead of the three or so of SQLite's default journal.
    ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', `synchronous=${options.fsync === false ? 0 : 2}`],
    ...(options.namespace === 'default' ? [] : ['--namespace', options.namespace]),
    ...Object.entries(dynamicConfig).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
    ...Object.entries(options.searchAttributes ?? {}).flatMap(([key, type]) => [
      '--search-attribute',
      `${key}=${type}`,
    ]),
  ];
}

function addressesOf(state: { port: number; uiPort?: number }): { address: string; uiUrl: string } {
  return { address: `127.0.0.1:${state.port}`, uiUrl: `http://127.0.0.1:${state.uiPort ?? state.port + 1000}` };
}
