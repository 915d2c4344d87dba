import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Account, setpriv } from './launch.ts';

/**
 * The account Postgres runs under. It refuses to run as root; an ordinary user runs it as himself (undefined). As root
 * we take the account that owns an existing cluster, else `postgres`, else `nobody`: no account is created on a machine
 * that is not ours.
 *
 * A data folder or checkout below a folder only root may enter (such as /root, mode 0700) is reached by handing
 * Postgres one capability, to pass folders, instead of opening the folder to everybody.
 */
export function postgresAccount(clusterDir: string, executable: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const account = ownerOf(clusterDir) ?? accountNamed('postgres') ?? accountNamed('nobody');
  if (account === undefined) {
    throw new Error(
      'Postgres refuses to run as root, and this machine has neither an account `postgres` nor `nobody` to run it ' +
        'under. Create one (`useradd --system postgres`), or run Daybook as an ordinary user.',
    );
  }
  const barrier = [executable, clusterDir]
    .map((path) => closedFolder(path, account))
    .find((path) => path !== undefined);
  if (barrier === undefined) return account;
  const capability = passingCapability();
  if (capability !== undefined) return { ...account, capability };
  throw new Error(
    `Postgres refuses to run as root, and the account "${account.name}" it would run under may not enter ${barrier}. ` +
      'Use a data folder (DAYBOOK_DATA_DIR) and a checkout outside of it, allow passing through it ' +
      `(\`chmod o+x ${barrier}\`), or run Daybook as an ordinary user.`,
  );
}

function accountNamed(name: string): Account | undefined {
  const fields = passwd().find((entry) => entry[0] === name);
  return fields && { name, uid: Number(fields[2]), gid: Number(fields[3]) };
}

function ownerOf(folder: string): Account | undefined {
  const uid = statSync(folder, { throwIfNoEntry: false })?.uid;
  if (uid === undefined || uid === 0) return undefined;
  const fields = passwd().find((entry) => Number(entry[2]) === uid);
  return fields && { name: fields[0] ?? '', uid, gid: Number(fields[3]) };
}

function passwd(): string[][] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
}

/** The first folder on the way to `path` that the account may not pass; undefined when the way is open. */
function closedFolder(path: string, account: Pick<Account, 'uid' | 'gid'>): string | undefined {
  const folders: string[] = [];
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (folder === dirname(folder)) break;
  }
  return folders.find((folder) => {
    const stat = statSync(folder, { throwIfNoEntry: false });
    if (stat === undefined) return false;
    const passes = stat.uid === account.uid ? 0o100 : stat.gid === account.gid ? 0o010 : 0o001;
    return (stat.mode & passes) === 0;
  });
}

/** The weakest capability we hold and can hand on that lets a process pass closed folders. */
function passingCapability(): Account['capability'] {
  if (setpriv() === undefined) return undefined;
  const status = readFileSync('/proc/self/status', 'utf8');
  const held = (set: string) => BigInt(`0x${new RegExp(`^${set}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0'}`);
  const usable = held('CapPrm') & held('CapBnd');
  if (usable & (1n << 2n)) return 'dac_read_search';
  if (usable & (1n << 1n)) return 'dac_override';
  return undefined;
}
