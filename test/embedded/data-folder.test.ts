import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeDataFolder, narrow } from '../../embedded/data-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'daybook-folder-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;
/** As root, Postgres's account passes through. */
const closed = process.getuid?.() === 0 ? 0o711 : 0o700;

it('a new data folder is closed to others, with those above it that were not there', () => {
  makeDataFolder(join(folder, 'new', 'data'));
  expect([modeOf(join(folder, 'new')), modeOf(join(folder, 'new', 'data'))]).toEqual([closed, closed]);
});

it('one called .daybook, or below such, that an older version left open is closed; another stays as it was found', () => {
  const found = ['.daybook', '.daybook/xero', 'books'].map((name) => join(folder, name));
  for (const path of found) {
    mkdirSync(path);
    chmodSync(path, 0o755);
    makeDataFolder(path);
  }
  expect(found.map(modeOf)).toEqual([closed, closed, 0o755]);
});

it('rights are only ever taken, and a file that is not there is not made', () => {
  const file = join(folder, 'file');
  narrow(file, 0o600);
  writeFileSync(file, '');
  const narrowed = [0o664, 0o400].map((mode) => {
    chmodSync(file, mode);
    narrow(file, 0o600);
    return modeOf(file);
  });
  expect(narrowed).toEqual([0o600, 0o400]);
});
