import { DefaultLogger, Runtime } from '@temporalio/worker';
import { xeroLatency } from '../activities/meters.ts';
import { ConfigurationError } from '../config/config.ts';
import type { Logger } from '../config/logging.ts';

/** Seconds; Xero's pages take one to four, and 45 is given up. */
const latencyBuckets = [0.1, 0.25, 0.5, 1, 2, 3, 4, 6, 10, 20, 45];

/** Why something failed, in words, which an Error does not show of itself; ours hold no secrets. */
function reason(error: unknown): { error?: object } {
  if (!(error instanceof Error)) return {};
  const { name, message, cause } = error;
  const type = 'type' in error && typeof error.type === 'string' ? error.type : name;
  const { error: because } = reason(cause);
  return { error: { type, message, ...(because === undefined ? {} : { because }) } };
}

/**
 * Temporal's native side, once for a process: its logs go to ours, and its metrics, with Daybook's beside them, to
 * Prometheus at `metricsAddress` (/metrics), if there is one. https://docs.temporal.io/references/sdk-metrics
 * @throws ConfigurationError where nothing can listen at that address.
 */
export function installRuntime(log: Logger, metricsAddress: string | null): Runtime {
  const logger = new DefaultLogger('WARN', ({ level, message, meta }) => {
    log[level === 'ERROR' ? 'error' : 'warn']({ ...meta, ...reason(meta?.error) }, message);
  });
  if (metricsAddress === null) return Runtime.install({ logger });
  const prometheus = {
    bindAddress: metricsAddress,
    countersTotalSuffix: true,
    unitSuffix: true,
    useSecondsForDurations: true,
    histogramBucketOverrides: { [xeroLatency]: latencyBuckets },
  };
  try {
    return Runtime.install({ logger, telemetryOptions: { metrics: { prometheus } } });
  } catch (error) {
    throw new ConfigurationError(
      `DAYBOOK_METRICS_ADDRESS is ${metricsAddress}, where this worker cannot listen: ${(error as Error).message}. Each worker of a machine needs a port of its own.`,
    );
  }
}

/** Who is impatient asks again after this; what comes sooner is the same wish by another way: npx, `up` and systemd hand it on. */
const sameWishMs = 5_000;

/**
 * Temporal's runtime hears one signal and leaves the next one to the system, which would kill the worker in the middle of the
 * pages that it finishes. Ours keeps listening.
 */
export function outlastRepeatedSignals(): void {
  let asked: number | undefined;
  const heed = () => {
    asked ??= performance.now();
    if (performance.now() - asked > sameWishMs) process.exit(130);
  };
  process.on('SIGINT', heed).on('SIGTERM', heed);
}
