import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { takeLock } from '../../embedded/lock.ts';
import { startSandbox } from '../../sandbox/server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { daybook } from '../support/daybook.ts';
import { provided } from '../support/provided.ts';

describe('What a person can mend is said in a sentence, with exit code 2 and no trace', { timeout: 180_000 }, () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'daybook-configuration-'));
  let database: TestDatabase;
  let environment: Record<string, string>;
  beforeAll(async () => {
    database = await createTestDatabase();
    environment = {
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: provided('temporal'),
      DAYBOOK_TOKEN_KEYS: `k1:${Buffer.alloc(32, 3).toString('base64')}`,
      DAYBOOK_DATA_DIR: dataDir,
      XERO_CLIENT_ID: 'an-app',
      XERO_CLIENT_SECRET: 'a-secret',
    };
  });
  afterAll(async () => {
    await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('what is missing or wrong in the environment is named with its remedy, exit 2', async () => {
    const { DAYBOOK_TOKEN_KEYS: _keys, ...withoutKeys } = environment;
    const sentences: [Record<string, string>, string[], RegExp][] = [
      [withoutKeys, ['up'], /^DAYBOOK_TOKEN_KEYS is missing: .*openssl rand/],
      [{ ...environment, DAYBOOK_TOKEN_KEYS: 'k1:abc' }, ['up'], /^The key "k1" in DAYBOOK_TOKEN_KEYS/],
      [{}, ['connections', 'list'], /^No Postgres is configured or running\. Start `npx daybook up`.*DATABASE_URL/],
      [{ DATABASE_URL: database.url }, ['pause', 'x'], /^No Temporal is configured or running\..*TEMPORAL_ADDRESS/],
      [{ XERO_CLIENT_ID: 'x' }, ['status'], /^XERO_CLIENT_SECRET is missing/],
      [{ XERO_CLIENT_SECRET: 'geheim' }, ['status'], /^XERO_CLIENT_ID is missing/],
      [
        { ...environment, XERO_API_URL: 'http://example.com' },
        ['status'],
        /^XERO_API_URL must be an https:\/\/ address/,
      ],
      [
        { ...environment, DAYBOOK_METRICS_ADDRESS: 'localhost:9464' },
        ['worker'],
        /^DAYBOOK_METRICS_ADDRESS must be an IP address and a port, such as 127\.0\.0\.1:9464/,
      ],
      [
        { TEMPORAL_PROFILE: 'nope', TEMPORAL_CONFIG_FILE: '/no/temporal.toml' },
        ['pause', 'x'],
        /^TEMPORAL_PROFILE names "nope", which is no profile of the file \/no\/temporal\.toml\. Add it/,
      ],
      [
        { TEMPORAL_CONFIG_FILE: '/no/temporal.toml' },
        ['pause', 'x'],
        /^TEMPORAL_CONFIG_FILE names \/no\/temporal\.toml, where no/,
      ],
      [{ TEMPORAL_API_KEY: 'geheim' }, ['status'], /^TEMPORAL_API_KEY is set, but nothing names.*TEMPORAL_ADDRESS/],
      [{ TEMPORAL_NAMESPACE: 'other' }, ['status'], /^TEMPORAL_NAMESPACE is "other".*only "default".*TEMPORAL_ADDRESS/],
      [
        { XERO_API_URL: 'https://x.example' },
        ['status'],
        /^XERO_CLIENT_ID is missing, though XERO_API_URL names a Xero/,
      ],
      [
        { DATABASE_URL: 'postgres://u:geheim@127.0.0.1:1/x' },
        ['status'],
        /^Postgres at 127\.0\.0\.1:1\/x cannot be used: /,
      ],
      [
        { TEMPORAL_ADDRESS: '127.0.0.1:1' },
        ['pause', 'x'],
        /^Temporal at 127\.0\.0\.1:1 does not answer: .*TEMPORAL_ADDRESS/,
      ],
    ];
    const all = await Promise.all(sentences.map(([env, args]) => daybook(args, { DAYBOOK_DATA_DIR: dataDir, ...env })));
    for (const [index, [, , sentence]] of sentences.entries()) {
      expect(all[index]?.stderr).toMatch(sentence);
      expect(all[index]?.stderr).not.toMatch(/geheim|\n +at /);
      expect(all[index]).toMatchObject({ code: 2, stdout: '' });
    }
  });

  test('an `up` that runs while its Postgres or Temporal does not is told from none', async () => {
    const folder = join(dataDir, 'restarting');
    mkdirSync(folder);
    const lock = takeLock(join(folder, 'up.lock'));
    const said = await Promise.all([
      daybook(['status'], { DAYBOOK_DATA_DIR: folder }),
      daybook(['pause', 'x'], { DATABASE_URL: database.url, DAYBOOK_DATA_DIR: folder }),
    ]);
    for (const [index, what] of ['Postgres', 'Temporal'].entries()) {
      expect(said[index]).toEqual({
        code: 2,
        stdout: '',
        stderr: `\`daybook up\` (process ${process.pid}) runs in ${folder}, but its ${what} does not, or not yet: see ${join(folder, `${what.toLowerCase()}.log`)}, or \`daybook doctor\`.\n`,
      });
    }
    if (lock.held) lock.release();
  });

  test('a database newer than the program is refused by every command', async () => {
    await database.pool.query(`insert into daybook.migration (name, run_on) values ('9999_future', now())`);
    for (const args of [['migrate'], ['status'], ['worker'], ['up']]) {
      const { code, stderr } = await daybook(args, environment);
      expect(stderr).toMatch(/^The database is newer than this program: .*9999_future.*Upgrade Daybook/);
      expect(code).toBe(2);
    }
  });

  test('up does not put other books of the sandbox under what was imported', async () => {
    const folder = join(dataDir, 'begun');
    mkdirSync(folder);
    await (await startSandbox({ stateFile: join(folder, 'sandbox-state.json'), journals: 200 })).close();
    expect(await daybook(['up', '--journals', '300'], { DAYBOOK_DATA_DIR: folder })).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /was begun with 200 journals.*--journals 300.*Leave --journals out.*DAYBOOK_DATA_DIR/,
      ),
    });
  });

  test('a data folder that is a file, is below one, or cannot be made is told in a sentence', async () => {
    const file = join(dataDir, 'a-file');
    writeFileSync(file, '');
    const isFile = /^"\S+a-file" cannot be used: there is a file of this name \(EEXIST\)\.\n$/;
    const isBelow = /^"\S+a-file\S*" cannot be used: a part of its path is a file, not a folder \(ENOTDIR\)\.\n$/;
    // Node makes folders there for ever, if it is let.
    const nowhere = /^"\/proc\/daybook" cannot be used: no folder can be made there \(ENOENT\)\.\n$/;
    const { DATABASE_URL: _database, XERO_CLIENT_ID: _id, XERO_CLIENT_SECRET: _secret, ...nothing } = environment;
    const folders: [string, Record<string, string>, string, RegExp][] = [
      ['status', {}, file, isBelow],
      ['up', {}, file, isFile],
      ['up', {}, join(file, 'below', 'it'), isFile],
      ['worker', environment, file, isFile],
      ...(existsSync('/proc/self')
        ? ([
            ['up', {}, '/proc/daybook', nowhere],
            ['up', nothing, '/proc/daybook', nowhere],
            ['worker', environment, '/proc/daybook/x', nowhere],
          ] as [string, Record<string, string>, string, RegExp][])
        : []),
    ];
    for (const [command, env, folder, sentence] of folders) {
      const said = await daybook([command], { ...env, DAYBOOK_DATA_DIR: folder });
      expect(said).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(sentence) });
    }
  });

  test.skipIf(!existsSync('/dev/full'))('a disk that is full is told in a sentence', async () => {
    const full = `"$0" bin/daybook.mjs --help > /dev/full; echo "exit $?" >&2`;
    const said = await new Promise<string>((done) => {
      const env = { PATH: process.env.PATH, HOME: process.env.HOME };
      execFile('sh', ['-c', full, process.execPath], { env }, (_, _stdout, stderr) => done(stderr));
    });
    expect(said).toBe('The output cannot be written: there is no space left on the disk (ENOSPC).\nexit 1\n');
  });

  test('a command that does not exist, or lacks an option, says so and how to get help', async () => {
    const wrong = [
      [['imports'], /^error: unknown command 'imports'/],
      [
        ['import', 'journals', '--application', 'planning'],
        /^error: required option '--connection <name>' not specified/,
      ],
      [['connect', '--name', 'acme'], /^error: required option '--application <name>' not specified/],
      [
        ['import', 'journals', '--from', '1', '--from', '2'],
        /'--from <journal id>' argument '2' is invalid\. It is given twice/,
      ],
      [['plan', 'journals', '--newest', '1', '--newest', '2'], /It is given twice/],
      [['reconcile', '--connection', 'a', '--connection', 'b'], /It is given twice/],
      [['up', '--journals', 'many'], /It must be a whole number from 0 to 1000000\./],
      [['up', '--journals', '1000001'], /It must be a whole number from 0 to 1000000\./],
      [['plan', 'journals', '--newest', '99999999999999'], /It must be a whole number from 0 to 2147483647\./],
      [['plan', 'journals', '--calls-a-day', '0'], /It must be a whole number from 1 to 1000000\./],
      [['connections', 'set', 'acme', '--quota-reserve', '1000001'], /It must be a whole number from 0 to 1000000\./],
    ] as const;
    const said = await Promise.all(wrong.map(([args]) => daybook(args, environment)));
    for (const [index, [, sentence]] of wrong.entries()) {
      expect(said[index]?.stderr).toMatch(sentence);
      expect(said[index]?.stderr).toContain('--help');
      expect(said[index]).toMatchObject({ code: 2, stdout: '' });
    }
    expect(await daybook(['--help'], {})).toMatchObject({ code: 0, stderr: '' });
  });
});
