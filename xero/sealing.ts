import type { FlattenedJWE } from 'jose';

/** Loaded with the first token: most commands only look whether the keys are such. */
const loadJose = () => import('jose');

/** What a sealed text belongs to; it can be opened only for the same. */
type Binding = readonly (string | number)[];

export interface KeyRing {
  /** Names of the keys, the sealing one first. */
  kids: readonly string[];
  /** Seals a text with the first key. */
  seal(text: string, binding: Binding): Promise<unknown>;
  /** Opens what any of the keys sealed. Throws a sentence when the key is unknown, or the seal or its place was changed. */
  open(sealed: unknown, binding: Binding): Promise<string>;
}

const variable = 'DAYBOOK_TOKEN_KEYS';
const advice = `Set ${variable} to kid:base64 of 32 random bytes (for one: \`openssl rand -base64 32\`), several separated by commas, the newest first.`;

/**
 * Reads the keys that seal tokens at rest: AES-256-GCM in JWE's format (RFC 7516, alg "dir"), the key's name in the
 * authenticated header. The binding is authenticated too and never stored, so a row moved to another place does not open.
 * The keys live in closures: printing the ring shows their names only. Throws a sentence naming the variable.
 */
export function createKeyRing(text: string): KeyRing {
  const keys = new Map<string, Uint8Array>();
  for (const part of text.split(',').map((entry) => entry.trim())) {
    if (part === '') continue;
    const [, kid, encoded] = /^([A-Za-z0-9._-]{1,64}):(.+)$/.exec(part) ?? [];
    if (kid === undefined || encoded === undefined)
      throw new Error(`${variable} has an entry that is not kid:base64. ${advice}`);
    if (keys.has(kid)) throw new Error(`${variable} names the key "${kid}" twice. ${advice}`);
    const canonical = encoded.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
    const key = Buffer.from(canonical, 'base64');
    if (key.toString('base64').replace(/=+$/, '') !== canonical) {
      throw new Error(`The key "${kid}" in ${variable} is not base64. ${advice}`);
    }
    if (key.length !== 32)
      throw new Error(`The key "${kid}" in ${variable} has ${key.length} bytes instead of 32. ${advice}`);
    keys.set(kid, Uint8Array.from(key));
  }
  const [first] = keys;
  if (first === undefined) throw new Error(`${variable} is empty, so tokens cannot be stored. ${advice}`);
  const [currentKid, currentKey] = first;

  return {
    kids: [...keys.keys()],
    async seal(plain, binding) {
      const { FlattenedEncrypt } = await loadJose();
      const { aad: _recomputed, ...sealed } = await new FlattenedEncrypt(new TextEncoder().encode(plain))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: currentKid })
        .setAdditionalAuthenticatedData(encode(binding))
        .encrypt(currentKey);
      return sealed;
    },
    async open(sealed, binding) {
      const { ciphertext, iv, tag, protected: header } = sealed as FlattenedJWE;
      const { base64url, flattenedDecrypt } = await loadJose();
      const jwe = { ciphertext, iv, tag, protected: header, aad: base64url.encode(encode(binding)) } as FlattenedJWE;
      const allowed = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] };
      const { plaintext } = await flattenedDecrypt(
        jwe,
        (header?: { kid?: string }) => find(header?.kid),
        allowed,
      ).catch((error: Error) => {
        if (error instanceof UnknownKey) throw error;
        throw new Error(
          `A sealed token does not open: it is sealed with another key of the same name, or was changed or moved. Make sure first that this is the ${variable} that the workers have; where it is, connect the organisation again.`,
        );
      });
      return new TextDecoder().decode(plaintext);
    },
  };

  function find(kid: unknown): Uint8Array {
    const key = typeof kid === 'string' ? keys.get(kid) : undefined;
    if (key !== undefined) return key;
    throw new UnknownKey(
      `A token is sealed with the key "${String(kid)}", which ${variable} does not have. Add it after the first key.`,
    );
  }
}

class UnknownKey extends Error {}

function encode(binding: Binding): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(binding));
}
