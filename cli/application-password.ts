import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** Postgres's own default; the strength lies in the password, which is as random as a key. */
const iterations = 4096;

/** A password nobody has to remember: 32 random bytes, in letters that need no quoting anywhere. */
export function drawPassword(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * What Postgres keeps of a password (RFC 5803, as in its own pg_authid): given this instead of the password, it never
 * sees the password, nor do its logs. Plain ASCII only, so SASLprep changes nothing.
 */
export function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const keyed = (label: string) => createHmac('sha256', salted).update(label).digest();
  const storedKey = createHash('sha256').update(keyed('Client Key')).digest('base64');
  const serverKey = keyed('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
