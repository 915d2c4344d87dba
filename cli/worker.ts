import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import { inTheClear, loadConfig } from '../config/config.ts';
import { createLogger } from '../config/logging.ts';
import { makeDataFolder } from '../embedded/data-folder.ts';
import { reach } from './environment.ts';
import { endWithParent, tellParent } from './worker-process.ts';

export function addWorkerCommand(program: Command): void {
  program
    .command('worker')
    .description('run a worker against the configured Postgres, Temporal and Xero')
    .action(async () => {
      // A page's bytes are large and short-lived garbage, which V8 would let pile up to several times what is in use.
      setFlagsFromString('--heap-growing-percent=60');
      const config = loadConfig(process.env);
      const place = reach(config);
      // The first thing in it may be the worker's bundle.
      makeDataFolder(config.dataDir);
      // Loaded here: a wrong configuration and the help are told without the worker's native library.
      const { runWorker } = await import('../worker/main.ts');
      endWithParent();
      const log = createLogger(config.logLevel);
      const warning = inTheClear(config.xero);
      if (warning !== null) log.warn(warning);
      await runWorker({
        databaseUrl: place.databaseUrl(),
        temporal: place.temporal(),
        taskQueue: config.taskQueue,
        xero: place.xero(),
        tokenKeys: place.tokenKeys(),
        cacheDir: config.dataDir,
        metricsAddress: config.metricsAddress,
        log,
        onReady: tellParent,
      });
    });
}
