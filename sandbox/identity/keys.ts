import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';

/** The sandbox's RS256 signing key. */
export interface SigningKey {
  readonly pem: string;
  readonly jwks: { keys: Record<string, unknown>[] };
  signJwt(claims: Record<string, unknown>): string;
  /** The claims of a token that this key signed, whatever its age; undefined for any other text. */
  readJwt(token: string): Record<string, unknown> | undefined;
}

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

// Making a 2048-bit key takes up to a second, and a test run starts hundreds of sandboxes: one key a process.
let processKey: string | undefined;
function newPem(): string {
  processKey ??= generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  return processKey;
}

/** @param pem a PKCS#8 key kept from an earlier run; without it a new one is made. */
export function signingKey(pem: string = newPem()): SigningKey {
  const secret: KeyObject = createPrivateKey(pem);
  const open = createPublicKey(secret);
  const jwk = open.export({ format: 'jwk' });
  const kid = createHash('sha256').update(String(jwk.n)).digest('hex').slice(0, 40).toUpperCase();
  const head = base64({ alg: 'RS256', kid, typ: 'JWT' });
  return {
    pem,
    jwks: { keys: [{ ...jwk, kid, use: 'sig', alg: 'RS256' }] },
    signJwt(claims) {
      const body = `${head}.${base64(claims)}`;
      return `${body}.${sign('RSA-SHA256', Buffer.from(body), secret).toString('base64url')}`;
    },
    readJwt(token) {
      const [header, body, signature, ...more] = token.split('.');
      if (header !== head || body === undefined || signature === undefined || more.length > 0) return undefined;
      if (!verify('RSA-SHA256', Buffer.from(`${header}.${body}`), open, Buffer.from(signature, 'base64url')))
        return undefined;
      try {
        return JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Record<string, unknown>;
      } catch {
        return undefined;
      }
    },
  };
}
