import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, ConfigurationError } from '../config/config.ts';
import { makeDataFolder } from '../embedded/data-folder.ts';
import { createKeyRing } from '../xero/sealing.ts';

// The sealing keys of the embedded stack, in a file of the data folder that its owner alone may read.

const fileOf = (dataDir: string) => join(dataDir, 'token-keys');
const newKey = (kid: string) => `${kid}:${randomBytes(32).toString('base64')}`;

/** The sealing keys of the embedded stack, made once. With a Postgres of one's own they must be given. */
export function ownTokenKeys(config: Config): string {
  if (config.databaseUrl !== null) {
    throw new ConfigurationError(
      'DAYBOOK_TOKEN_KEYS is missing: it seals the tokens in your Postgres. Make one with ' +
        '`echo "k1:$(openssl rand -base64 32)"` and keep it; without it the stored authorisations cannot be opened.',
    );
  }
  const path = fileOf(config.dataDir);
  if (!existsSync(path)) {
    makeDataFolder(config.dataDir);
    writeFileSync(path, `${newKey('k1')}\n`, { mode: 0o600, flag: 'wx' });
  }
  return readFileSync(path, 'utf8').trim();
}

/** Puts a new key before the others, whole or not at all. Returns its name. */
export function addOwnTokenKey(dataDir: string): string {
  const path = fileOf(dataDir);
  const text = readFileSync(path, 'utf8').trim();
  const { kids } = createKeyRing(text);
  let number = kids.length + 1;
  while (kids.includes(`k${number}`)) number += 1;
  const kid = `k${number}`;
  writeFileSync(`${path}.new`, `${newKey(kid)},${text}\n`, { mode: 0o600, flag: 'w' });
  renameSync(`${path}.new`, path);
  return kid;
}

/** Whether the `daybook up` that runs was started before the keys in the file were written, so that it does not have them. */
export function runsWithOlderKeys(dataDir: string): boolean {
  const [keys, lock] = [fileOf(dataDir), join(dataDir, 'up.lock')];
  return existsSync(keys) && existsSync(lock) && statSync(lock).mtimeMs < statSync(keys).mtimeMs;
}
