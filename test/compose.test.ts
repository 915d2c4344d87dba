import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { variables } from '../config/variables.ts';
import { accountOptions, commandFor } from '../embedded/launch.ts';
import { postgresAccount } from '../embedded/postgres-account.ts';
import { postgresBinaries } from '../embedded/postgres-cluster.ts';

// No container engine was at hand when these files were written: this checks what can be read in them, and runs initdb.

interface Service {
  image?: string;
  build?: string;
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  ports?: string[];
  command?: string[];
  healthcheck?: object;
  stop_grace_period?: string;
}

const read = (file: string) => readFileSync(resolve(import.meta.dirname, '..', file), 'utf8');
const composeText = read('docker-compose.yml');
const services = (parse(composeText, { merge: true }) as { services: Record<string, Service> }).services;
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

  it('makes its database with arguments that initdb takes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'daybook-initdb-'));
    try {
      const { initdb } = await postgresBinaries();
      const account = postgresAccount(folder, initdb);
      if (account !== undefined) chownSync(folder, account.uid, account.gid);
      const given = service('postgres').environment?.POSTGRES_INITDB_ARGS?.split(' ') ?? [];
      const [command, ...args] = commandFor({
        command: initdb,
        args: ['-D', folder, '--no-sync', ...given],
        account,
        deathSignal: 'SIGKILL',
      });
      const made = spawnSync(command, args, {
        encoding: 'utf8',
        env: { PATH: process.env.PATH },
        ...accountOptions(account),
      });
      expect([made.status, made.stderr]).toEqual([0, expect.any(String)]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
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
