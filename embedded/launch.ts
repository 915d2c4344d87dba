import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { openLog } from './log-file.ts';

/** The unprivileged account a server runs under when we are root, and the one capability it may need to reach its files. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly capability?: 'dac_read_search' | 'dac_override';
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly cwd: string;
  /** What the server gets when this process dies without stopping it (Linux with setpriv only). */
  readonly deathSignal: NodeJS.Signals;
  readonly account?: Account | undefined;
}

/**
 * Starts a server in a session of its own (Ctrl-C in the terminal is for us: we stop the servers, after the worker has
 * drained) and with an almost empty environment (our secrets are none of its business). Its output goes to the log.
 */
export function launch(options: Launch): ChildProcess {
  const [command, ...args] = commandFor(options);
  const log = openLog(options.logFile);
  // For the server, which inherits it as it is started: Temporal would let everybody read its database.
  const umask = process.umask(0o077);
  try {
    return spawn(command, args, {
      cwd: options.cwd,
      env: { HOME: options.cwd, PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', log, log],
      detached: true,
      ...accountOptions(options.account),
    });
  } finally {
    process.umask(umask);
    closeSync(log);
  }
}

/** The words to execute; with setpriv in front where there is one (it replaces itself, so the pid is the server's). */
export function commandFor(
  options: Pick<Launch, 'command' | 'args' | 'account' | 'deathSignal'>,
): [string, ...string[]] {
  const wrapper = setpriv();
  if (wrapper === undefined) return [options.command, ...options.args];
  const { account } = options;
  const rights = account === undefined ? [] : [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
  const capability = account?.capability;
  if (capability !== undefined) rights.push(`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`);
  return [wrapper, `--pdeathsig=${options.deathSignal}`, ...rights, '--', options.command, ...options.args];
}

/** The spawn options that change to the account where setpriv, which commandFor puts in front, does not do it. */
export function accountOptions(account: Account | undefined): { uid?: number; gid?: number } {
  return account !== undefined && setpriv() === undefined ? { uid: account.uid, gid: account.gid } : {};
}

let setprivPath: string | false | undefined;

/** util-linux's setpriv if this machine has one that knows --pdeathsig (Busybox's does not; macOS has none). */
export function setpriv(): string | undefined {
  setprivPath ??=
    ['/usr/bin/setpriv', '/bin/setpriv'].find(
      (path) => spawnSync(path, ['--pdeathsig=SIGTERM', '--', '/bin/sh', '-c', ':']).status === 0,
    ) ?? false;
  return setprivPath === false ? undefined : setprivPath;
}
