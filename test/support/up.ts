import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Said, temporalCommand } from './daybook.ts';
import { runProcess, type TestProcess } from './processes.ts';
import { provided } from './provided.ts';

/** A running `daybook up` with nothing configured, as its own output describes it. */
export interface Up {
  process: TestProcess;
  xero: string;
  temporalAddress: string;
  databaseUrl: string;
  /** Of the worker it said was ready last. */
  workerPid(): number;
  /** The real `temporal` command, given its server. */
  temporal(...args: string[]): Promise<Said>;
}

/** Starts `daybook up` in this data folder and waits until its worker takes work. */
export async function startUp(
  dataDir: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Up> {
  const started = runProcess('bin/daybook.mjs', { args: ['up', ...args], env: { ...upEnvironment(dataDir), ...env } });
  await started.line(/^The worker is ready/, 120_000);
  const said = (pattern: RegExp) => {
    const found = pattern.exec(started.output())?.[1];
    if (found === undefined) throw new Error(`daybook up did not say ${pattern}:\n${started.output()}`);
    return found;
  };
  const temporalAddress = said(/^ {2}Temporal +([\d.]+:\d+), UI http/m);
  return {
    process: started,
    xero: said(/^ {2}Xero +(http:\S+)/m),
    temporalAddress,
    databaseUrl: said(/^ {2}Postgres +psql "([^"]+)"/m),
    workerPid: () => Number([...started.output().matchAll(/^The worker is ready \(process (\d+)\)/gm)].at(-1)?.[1]),
    temporal: (...given) => temporalCommand([...given, '--address', temporalAddress]),
  };
}

/** Nothing is configured; `temporal` is on PATH, as the stand found it. */
export function upEnvironment(dataDir: string): Record<string, string> {
  const path = `${dirname(provided('temporalExecutable'))}:${process.env.PATH}`;
  return { PATH: path, DAYBOOK_DATA_DIR: dataDir };
}

/** The pid of an embedded server, from what its supervisor published. */
export function serverPid(dataDir: string, server: 'postgres' | 'temporal'): number {
  return (JSON.parse(readFileSync(join(dataDir, `${server}.json`), 'utf8')) as { child: { pid: number } }).child.pid;
}

/** Every process that was started for this data folder; none where the system does not tell (no /proc). */
export function processesOf(dataDir: string): string[] {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      try {
        const [environ, command] = ['environ', 'cmdline'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
        return environ?.includes(dataDir) || command?.includes(dataDir)
          ? [`${pid} ${command?.replaceAll('\0', ' ')}`]
          : [];
      } catch {
        return [];
      }
    });
}
