import { pino } from 'pino';
import type { LogLevel } from './config.ts';

export type Logger = ReturnType<typeof createLogger>;

/** Names of fields that may hold a secret, wherever they stand in what is logged. */
const secrets = [
  'token',
  'access_token',
  'refresh_token',
  'accessToken',
  'refreshToken',
  'client_secret',
  'clientSecret',
];
const headers = ['authorization', 'Authorization', 'cookie', 'set-cookie'];

/** One line of JSON an event, on standard error, so that standard output stays for answers. Secrets are cut out by name. */
export function createLogger(level: LogLevel) {
  const paths = [...secrets, ...headers].flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);
  return pino({ level, base: null, redact: { paths, censor: '[redacted]' } }, pino.destination({ fd: 2, sync: true }));
}
