import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadTemporal } from '../../embedded/temporal-download.ts';
import { findTemporal, type TemporalSource } from '../../embedded/temporal-executable.ts';

let folder: string;
let lines: string[];
const onLine = (line: string) => lines.push(line);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'daybook-find-'));
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function writeCommand(file: string, body = 'echo "temporal version 1.5.1 (Server 1.29.1)"'): string {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

const nothing: TemporalSource = async () => false;

describe('findTemporal', () => {
  const find = (path: string, sources: TemporalSource[] = [nothing]) =>
    findTemporal({ binDir: join(folder, 'bin'), env: { PATH: path }, onLine, sources });

  it('takes the command on PATH', async () => {
    const command = writeCommand(join(folder, 'path/temporal'));
    expect(await find(join(folder, 'path'))).toBe(command);
  });

  it('passes over a command on PATH that does not run, and says so', async () => {
    writeCommand(join(folder, 'broken/temporal'), 'exit 1');
    const command = writeCommand(join(folder, 'path/temporal'));
    expect(await find(`${join(folder, 'broken')}:${join(folder, 'path')}`)).toBe(command);
    expect(lines.join()).toContain('does not run');
  });

  it('takes the one it kept from an earlier time', async () => {
    const command = writeCommand(join(folder, 'bin/temporal'));
    expect(await find('')).toBe(command);
  });

  it('tries the sources in turn', async () => {
    const source: TemporalSource = async ({ target }) => existsSync(writeCommand(target));
    expect(await find('', [nothing, source])).toBe(join(folder, 'bin/temporal'));
  });

  it('fetches once when two ask at the same time', async () => {
    let fetched = 0;
    const source: TemporalSource = async ({ target }) => {
      fetched++;
      await new Promise((done) => setTimeout(done, 300));
      return existsSync(writeCommand(target));
    };
    const both = await Promise.all([find('', [source]), find('', [source])]);
    expect(both[0]).toBe(both[1]);
    expect(fetched).toBe(1);
    expect(lines.join()).toContain('waiting for it');
  });

  it('removes what an interrupted download or build left, before it fetches anew', async () => {
    writeCommand(join(folder, 'bin/download-a1b2c3/temporal-1.5.1.downloading'));
    writeCommand(join(folder, 'bin/build-a1b2c3/temporal'));
    const source: TemporalSource = async ({ target }) => {
      expect(readdirSync(join(folder, 'bin'))).toEqual(['temporal.lock']);
      return existsSync(writeCommand(target));
    };
    await find('', [source]);
    expect(readdirSync(join(folder, 'bin'))).toEqual(['temporal']);
  });

  it('says what to install when nothing helps, and leaves nothing behind', async () => {
    await expect(find('')).rejects.toThrow(/Install it .*docs\.temporal\.io\/cli.*install Go.*TEMPORAL_ADDRESS/s);
    expect(readdirSync(join(folder, 'bin'))).toEqual([]);
  });
});

describe('the download', () => {
  it('fails over fast when the host cannot be reached, and says why', async () => {
    const target = join(folder, 'temporal');
    // A proxy nobody listens at: unreachable on every machine, also on one with internet.
    const env = { PATH: process.env.PATH, HTTPS_PROXY: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9' };
    const began = performance.now();
    expect(await downloadTemporal({ target, env, onLine })).toBe(false);
    expect(performance.now() - began).toBeLessThan(25_000);
    expect(lines.at(-1)).toContain('could not be downloaded');
    expect(readdirSync(folder)).toEqual([]);
  });
});
