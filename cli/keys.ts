import type { Command } from 'commander';
import { ConfigurationError, loadConfig } from '../config/config.ts';
import { recordAct } from '../storage/audit.ts';
import { listSeals, rotateKeys, type Seals } from '../xero/rotate-keys.ts';
import { createKeyRing } from '../xero/sealing.ts';
import { operator } from './admin-place.ts';
import { reach } from './environment.ts';
import { print, printTable } from './output.ts';
import { withDatabase } from './servers.ts';
import { addOwnTokenKey, runsWithOlderKeys } from './token-keys.ts';

export function addKeyCommands(program: Command): void {
  const keys = program.command('keys').description('see and change the keys that seal tokens');
  keys
    .command('list')
    .description('show the keys by name, and how many token pairs each has sealed')
    .option('--json', 'print JSON')
    .action(list);
  keys
    .command('rotate')
    .description('seal every stored token with the first key; with the embedded Postgres also makes a new one')
    .option('--json', 'print JSON')
    .action(rotate);
}

async function list({ json }: { json?: boolean }): Promise<void> {
  const { kids } = createKeyRing(reach(loadConfig(process.env)).tokenKeys());
  const seals = await withDatabase(listSeals);
  const unknown = Object.keys(seals).filter((kid) => !kids.includes(kid));
  const all = [...kids, ...unknown].map((kid) => ({ kid, pairs: seals[kid] ?? 0, use: useOf(kid, kids) }));
  if (json) return print(true, all, '');
  printTable(
    ['key', 'pairs', 'use'],
    all.map(({ kid, pairs, use }) => [kid, pairs, use]),
  );
}

function useOf(kid: string, kids: readonly string[]): string {
  if (!kids.includes(kid)) return 'missing: what it sealed cannot be opened';
  return kid === kids[0] ? 'seals and opens' : 'opens';
}

async function rotate({ json }: { json?: boolean }): Promise<void> {
  const config = loadConfig(process.env);
  const ring = createKeyRing(reach(config).tokenKeys());
  const [first = '', ...older] = ring.kids;
  const allSealedByFirst = (seals: Seals) => Object.keys(seals).every((kid) => kid === first);
  const isOwn = config.tokenKeys === null;

  if (isOwn && runsWithOlderKeys(config.dataDir)) {
    throw new ConfigurationError(
      'The running `daybook up` does not have the newest key yet. Stop it and start it again, then run `daybook keys rotate` once more.',
    );
  }
  // A new key is made when there is nothing left to do for the last one; the servers must have it before it seals.
  if (isOwn && allSealedByFirst(await withDatabase(listSeals))) {
    const made = addOwnTokenKey(config.dataDir);
    await withDatabase((pool) => recordAct(pool, { actor: operator(), act: 'makeKey', subject: made }));
    const next = `Made the key "${made}". Stop \`daybook up\` and start it again, then run \`daybook keys rotate\` once more: it seals every token with the new key.`;
    return print(json, { made }, next);
  }
  const rotated = await withDatabase((pool) => rotateKeys(pool, ring, operator()));
  const left = Object.keys(rotated.after).filter((kid) => kid !== first);
  const free = older.filter((kid) => !left.includes(kid)).map((kid) => `"${kid}"`);
  const words = [
    ...rotated.problems,
    left.length === 0
      ? `Every stored token is sealed with "${first}".`
      : `Not all tokens are sealed with "${first}" yet.`,
    free.length === 0
      ? ''
      : `Once every worker runs with "${first}" as its first key, take out ${free.join(', ')}; until then one may still seal with the old key, which \`daybook keys list\` shows.`,
  ];
  print(json, { ...rotated, first }, words.filter(Boolean).join('\n'));
  if (left.length > 0) process.exitCode = 1;
}
