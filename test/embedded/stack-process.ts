import { startPostgres } from '../../embedded/postgres.ts';
import { startTemporal } from '../../embedded/temporal.ts';

/** A process that owns both servers, for tests that kill it: prints their addresses and pids, and stays until SIGTERM. */
const [dataDir, executable] = process.argv.slice(2);
if (dataDir === undefined || executable === undefined)
  throw new Error('Give the data folder and the temporal command.');

const onLine = (line: string) => console.log(line);
const [postgres, temporal] = await Promise.all([
  startPostgres({ dataDir, onLine, fsync: false }),
  startTemporal({ dataDir, executable, onLine, fsync: false }),
]);
const servers = { url: postgres.url, postgres: postgres.pid(), address: temporal.address, temporal: temporal.pid() };
console.log(`ready ${JSON.stringify(servers)}`);
process.once('SIGTERM', () => {
  void Promise.all([postgres.stop(), temporal.stop()]).then(() => console.log('stopped'));
});
