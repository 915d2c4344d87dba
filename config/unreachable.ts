import { ConfigurationError } from './config.ts';

const configured =
  'Check that it runs and that TEMPORAL_ADDRESS (with TEMPORAL_TLS and TEMPORAL_API_KEY, where it asks for them) is right.';

/** A Temporal server that does not answer is for the person to look at: where, why, and what to check. */
export function unreachableTemporal(
  address: string | undefined,
  error: unknown,
  remedy = configured,
): ConfigurationError {
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
  return new ConfigurationError(
    `Temporal at ${address ?? 'its default address'} does not answer: ${reason}. ${remedy}`,
    { cause: error },
  );
}
