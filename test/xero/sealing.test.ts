import { inspect } from 'node:util';
import { base64url } from 'jose';
import { expect, test } from 'vitest';
import { createKeyRing } from '../../xero/sealing.ts';
import { Secret } from '../../xero/secret.ts';

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');
const ring = createKeyRing(`k1:${key(1)}`);
const place = ['daybook', 'a1', 3] as const;
type Sealed = Record<'ciphertext' | 'iv' | 'tag' | 'protected', string>;

test('what is sealed opens at its place, and nowhere else', async () => {
  const sealed = await ring.seal('refresh-token-ø', place);
  expect(JSON.stringify(sealed)).not.toContain('refresh-token');
  expect(await ring.open(sealed, place)).toBe('refresh-token-ø');
  await expect(ring.open(sealed, ['daybook', 'a2', 3])).rejects.toThrow('does not open');
  await expect(ring.open(sealed, ['daybook', 'a1', 4])).rejects.toThrow('does not open');
  await expect(ring.open({ ...(sealed as Sealed), aad: 'x' }, ['daybook', 'a2', 3])).rejects.toThrow('does not open');
});

test('a frozen row of the first format still opens', async () => {
  const frozen = {
    ciphertext: 'ugJqlEGxjrMIh83v26P0ggCDHnc',
    iv: 'xB1zH4C7CFmfOLfy',
    tag: '6wvq4zq_9KrTXsQr_wwEPg',
    protected: 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiazEifQ',
  };
  expect(await ring.open(frozen, place)).toBe('["access","refresh"]');
});

test('no byte of a sealed text can be changed', async () => {
  const sealed = (await ring.seal('["access","refresh"]', place)) as Sealed;
  let tampered = 0;
  for (const part of ['ciphertext', 'iv', 'tag', 'protected'] as const) {
    const bytes = base64url.decode(sealed[part]);
    for (const [index, byte] of bytes.entries()) {
      const changed = Uint8Array.from(bytes);
      changed[index] = byte ^ 0x01;
      await expect(ring.open({ ...sealed, [part]: base64url.encode(changed) }, place)).rejects.toThrow();
      tampered += 1;
    }
  }
  expect(tampered).toBeGreaterThan(80);
});

test('other algorithms are not accepted', async () => {
  const sealed = (await ring.seal('x', place)) as Sealed;
  for (const header of [
    { alg: 'dir', enc: 'A128GCM', kid: 'k1' },
    { alg: 'A256KW', enc: 'A256GCM', kid: 'k1' },
    { alg: 'none', kid: 'k1' },
  ]) {
    await expect(ring.open({ ...sealed, protected: base64url.encode(JSON.stringify(header)) }, place)).rejects.toThrow(
      'does not open',
    );
  }
});

test('rotation: the first key seals, all open, a removed one is named', async () => {
  const old = await ring.seal('kept', place);
  const both = createKeyRing(`k2:${key(2)}, k1:${key(1)}`);
  expect(both.kids).toEqual(['k2', 'k1']);
  expect(await both.open(old, place)).toBe('kept');
  const renewed = await both.seal('kept', place);
  expect(await createKeyRing(`k2:${key(2)}`).open(renewed, place)).toBe('kept');
  await expect(createKeyRing(`k2:${key(2)}`).open(old, place)).rejects.toThrow(/"k1".*DAYBOOK_TOKEN_KEYS/);
  await expect(createKeyRing(`k1:${key(9)}`).open(old, place)).rejects.toThrow('another key of the same name');
});

test.each([
  ['', 'empty'],
  [' , ', 'empty'],
  ['nokid', 'not kid:base64'],
  [`:${key(1)}`, 'not kid:base64'],
  ['k1:', 'not kid:base64'],
  ['k1:abc', '"k1"'],
  ['k1:!!!!', 'not base64'],
  [`k1:${Buffer.alloc(16).toString('base64')}`, '16 bytes instead of 32'],
  [`k1:${key(1)},k1:${key(2)}`, 'twice'],
])('keys %j are refused with a sentence that shows no key', (text, problem) => {
  const refuse = () => createKeyRing(text);
  expect(refuse).toThrow(problem);
  expect(refuse).toThrow('DAYBOOK_TOKEN_KEYS');
  expect(refuse).not.toThrow(key(1));
});

test('base64 with and without padding, and its URL alphabet, name the same key', async () => {
  const bytes = Buffer.alloc(32, 0xfb);
  const sealed = await createKeyRing(`k:${bytes.toString('base64')}`).seal('x', place);
  expect(await createKeyRing(`k:${bytes.toString('base64url')}`).open(sealed, place)).toBe('x');
});

test('secrets and key rings print as names only', () => {
  const secret = new Secret('canary');
  for (const shown of [
    inspect({ secret }, { showHidden: true }),
    JSON.stringify({ secret }),
    `${secret}`,
    String(secret),
  ]) {
    expect(shown).not.toContain('canary');
    expect(shown).toContain('[redacted]');
  }
  expect(inspect(ring, { depth: 9, showHidden: true })).not.toContain('1, 1, 1');
});
