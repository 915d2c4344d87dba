import { spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { variables } from '../config/variables.ts';
import { accountOptions, commandFor, launch } from '../embedded/launch.ts';
import { postgresAccount } from '../embedded/postgres-account.ts';
import { postgresBinaries } from '../embedded/postgres-cluster.ts';
import { eventually, query } from './embedded/probes.ts';
import { daybook } from './support/daybook.ts';
import { freePort } from './support/free-port.ts';

// No container engine was at hand when these files were written: this checks what can be read in them, and runs Postgres as they do.

interface Service {
  image?: string;
  build?: string;
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  ports?: string[];
  command?: string[];
  healthcheck?: { test: string[] };
  stop_grace_period?: string;
}

const read = (file: string) => readFileSync(resolve(import.meta.dirname, '..', file), 'utf8');
const composeText = read('docker-compose.yml');
const { services, configs } = parse(composeText, { merge: true }) as {
  services: Record<string, Service>;
  configs: Record<string, { content: string }>;
};
const dockerfile = read('Dockerfile');
const example = read('.env.example');
const ignored = read('.dockerignore').split('\n');

const service = (name: string): Service => services[name] ?? expect.fail(`There is no service ${name}.`);
/** Variables an .env may set for compose itself; all others must be Daybook's. */
const composeOnly = ['POSTGRES_PASSWORD', 'TEMPORAL_POSTGRES_PASSWORD'];

describe('docker-compose.yml', () => {
  it.each(['worker', 'migrate', 'web'])('%s is given only variables the configuration knows', (name) => {
    for (const variable of Object.keys(service(name).environment ?? {})) expect(variables).toHaveProperty(variable);
  });

  it('opens ports on this machine only', () => {
    const ports = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('has no secret in clear: each comes from .env, and an empty one is refused with a sentence', () => {
    const environments = Object.values(services).flatMap(({ environment = {} }) => Object.entries(environment));
    const secrets = environments.filter(([name]) => /PASSWORD|PWD|SECRET|KEYS?$|DATABASE_URL/.test(name));
    expect(secrets.length).toBeGreaterThan(5);
    for (const [name, value] of secrets) expect(value, name).toMatch(/\$\{[A-Z_]+:\?Set [^}]+\}/);
  });

  it('takes from .env only what .env.example explains', () => {
    const used = [...composeText.matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1] ?? '');
    expect(used.filter((name) => !explained().includes(name))).toEqual([]);
  });

  it('hands on what a user of Xero may have to set: scopes, the registered address, where browsers find the page', () => {
    for (const name of ['worker', 'web']) {
      const { environment = {} } = service(name);
      for (const variable of ['XERO_SCOPES', 'XERO_REDIRECT_URI', 'DAYBOOK_WEB_ORIGIN']) {
        expect(environment[variable], `${variable} of ${name}`).toContain(`\${${variable}`);
      }
    }
  });

  it('makes its database with arguments that initdb takes, and a role for Daybook that may no more than it needs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'daybook-initdb-'));
    const { initdb, postgres } = await postgresBinaries();
    const account = postgresAccount(folder, initdb);
    if (account !== undefined) chownSync(folder, account.uid, account.gid);
    const given = service('postgres').environment ?? {};
    const initdbArguments = [`--username=${given.POSTGRES_USER}`, ...(given.POSTGRES_INITDB_ARGS?.split(' ') ?? [])];
    const [command, ...args] = commandFor({
      command: initdb,
      args: ['-D', folder, '--no-sync', ...initdbArguments],
      account,
      deathSignal: 'SIGKILL',
    });
    const made = spawnSync(command, args, {
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
      ...accountOptions(account),
    });
    expect([made.status, made.stderr]).toEqual([0, expect.any(String)]);
    const port = await freePort();
    const options = ['-p', `${port}`, '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
    const logFile = join(folder, 'test.log');
    const server = launch({
      command: postgres,
      args: ['-D', folder, ...options],
      logFile,
      cwd: folder,
      account,
      deathSignal: 'SIGKILL',
    });
    try {
      const asSuperuser = `postgres://${given.POSTGRES_USER}@127.0.0.1:${port}/postgres`;
      await eventually(() => query(asSuperuser, 'select 1').then(Boolean, () => false), 30_000);
      const roles = (configs['postgres-roles']?.content ?? '').replace(/\$\{[^}]+\}/, 'secret');
      // One by one, as psql runs a file.
      for (const statement of roles.trim().split('\n')) await query(asSuperuser, statement);
      // None of what the worker logs in with opens the superuser.
      const { rows } = await query(asSuperuser, `select from pg_authid where rolsuper and rolpassword is not null`);
      expect(rows).toEqual([]);

      const url = `postgres://daybook:secret@127.0.0.1:${port}/daybook`;
      const environment = Object.entries(service('migrate').environment ?? {});
      const set = environment.map(([name, value]) => [
        name,
        name === 'DATABASE_URL' ? url : name === 'DAYBOOK_DATA_DIR' ? folder : value,
      ]);
      expect(await daybook(['migrate'], Object.fromEntries(set))).toMatchObject({ code: 0, stderr: '' });
      expect((await query(url, 'select rolsuper from pg_roles where rolname = current_user')).rows).toEqual([
        { rolsuper: false },
      ]);
      const added = await daybook(['applications', 'add', 'planning', '--json'], { DATABASE_URL: url });
      expect([added.code, added.stderr]).toEqual([0, '']);
      const login = new URL(JSON.parse(added.stdout).url);
      await query(login.href, 'select * from xero.journal');
      // Trust is what initdb made here, so that it is not the password that keeps it out.
      login.pathname = '/postgres';
      await expect(query(login.href, 'select 1')).rejects.toThrow(/permission denied for database/);
    } finally {
      const ended = new Promise((done) => server.once('close', done));
      server.kill('SIGINT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('gives who migrates neither the Xero app’s secret nor the keys that open the tokens', () => {
    expect(Object.keys(service('migrate').environment ?? {})).toEqual(['DATABASE_URL', 'DAYBOOK_DATA_DIR']);
  });

  it('asks the connect page whether it answers, by a program that its image has', async () => {
    const [, program = '', ...args] = service('web').healthcheck?.test ?? [];
    expect(program).toBe('node');
    const page = createServer((_, response) => response.writeHead(403).end());
    await new Promise<void>((done) => page.listen(0, '127.0.0.1', done));
    const { port } = page.address() as AddressInfo;
    const ask = () =>
      new Promise((done) =>
        spawn(
          program,
          args.map((word) => word.replace('8088', `${port}`)),
        ).once('close', done),
      );
    expect(await ask()).toBe(0);
    await new Promise((done) => page.close(done));
    expect(await ask()).toBe(1);
  });

  it('pins every image', () => {
    const images = Object.values(services).flatMap(({ image }) => (image === undefined ? [] : [image]));
    for (const image of [...images, /^FROM (\S+)/m.exec(dockerfile)?.[1] ?? '']) expect(image).toMatch(/:\d+[\w.-]*$/);
    expect(Object.values(services).filter(({ image, build }) => image === undefined && build === undefined)).toEqual(
      [],
    );
  });

  it('starts in order: database, tables, namespace, worker', () => {
    const waits = (name: string) =>
      Object.entries(service(name).depends_on ?? {}).map(([on, { condition }]) => [on, condition]);
    expect(waits('migrate')).toEqual([['postgres', 'service_healthy']]);
    expect(waits('temporal')).toContainEqual(['temporal-schema', 'service_completed_successfully']);
    expect(waits('temporal-namespace')).toEqual([['temporal', 'service_healthy']]);
    expect(waits('worker')).toEqual([
      ['postgres', 'service_healthy'],
      ['migrate', 'service_completed_successfully'],
      ['temporal-namespace', 'service_completed_successfully'],
    ]);
    for (const { depends_on = {} } of Object.values(services)) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        if (condition === 'service_healthy') expect(service(name).healthcheck, name).toBeDefined();
      }
    }
  });

  it('gives the worker a minute to finish its pages', () => {
    expect(service('worker').stop_grace_period).toBe('60s');
    expect(service('worker').command).toEqual(['worker']);
    expect(service('migrate').command).toEqual(['migrate']);
  });
});

describe('Dockerfile', () => {
  it('takes along every folder of the program, and neither keys nor data', () => {
    const allowed = ignored.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const { include } = parse(read('tsconfig.json')) as { include: string[] };
    const folders = include.filter((name) => !['test', 'bench', '*.ts'].includes(name));
    expect(allowed).toEqual(expect.arrayContaining([...folders, 'bin', 'migrations', 'package-lock.json']));
    expect(ignored.find((line) => !line.startsWith('#'))).toBe('*');
    for (const name of ['.env', '.daybook', '.git', 'node_modules', 'test']) expect(allowed).not.toContain(name);
  });

  it('runs the command without rights', () => {
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toContain('ENTRYPOINT ["node", "bin/daybook.mjs"]');
  });
});

describe('.env.example', () => {
  it('explains every variable of the configuration, and none that does not exist', () => {
    expect(explained().sort()).toEqual([...Object.keys(variables), ...composeOnly].sort());
  });

  it('has a sentence above each, and no secret', () => {
    const lines = example.split('\n');
    lines.forEach((line, index) => {
      if (!isVariable(line)) return;
      expect(lines[index - 1], line).toMatch(/^# .*\.$/);
      if (!line.startsWith('#')) expect(line).toMatch(/=$/);
    });
  });
});

function isVariable(line: string): boolean {
  return /^(# )?[A-Z][A-Z_]+=/.test(line);
}

function explained(): string[] {
  return example
    .split('\n')
    .filter(isVariable)
    .map((line) => line.replace(/^# /, '').split('=')[0] ?? '');
}
