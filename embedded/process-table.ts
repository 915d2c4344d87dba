import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * One process, told apart from a later one that was given the same pid: `started` is the kernel's start time where it
 * can be read, otherwise empty (then the pid alone decides).
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

/** The identity of a running process, or undefined when there is none. A zombie counts as gone: it holds nothing. */
export function identify(pid: number): ProcessIdentity | undefined {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The command name is in brackets and may hold blanks and brackets itself, so fields are counted after the last one.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : { pid, started: fields[19] ?? '' };
    } catch {
      return undefined;
    }
  }
  // The same to whoever asks, in whichever language and time zone it was started.
  const started = askPs('lstart', pid, { LC_ALL: 'C', TZ: 'UTC' });
  return started === '' ? undefined : { pid, started };
}

/** What `ps` says of a process, unshortened; empty when there is none. */
function askPs(field: 'lstart' | 'command', pid: number, env?: NodeJS.ProcessEnv): string {
  const ps = spawnSync('/bin/ps', ['-ww', '-o', `${field}=`, '-p', String(pid)], { encoding: 'utf8', env });
  return ps.status === 0 ? ps.stdout.trim() : '';
}

/** Whether exactly this process (not a successor under its pid) still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now !== undefined && now.started === identity.started;
}

/** This very process. */
export function thisProcess(): ProcessIdentity {
  return identify(process.pid) ?? { pid: process.pid, started: '' };
}

/** The command line of a process with blanks between the words; empty when there is no such process. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    // In our own language: in C's, letters of a folder's name that are not ASCII may come escaped.
    return askPs('command', pid);
  }
}

/**
 * Ends a process that is not (or no longer) our child: first with `signal`, after `graceMs` with SIGKILL. Returns when
 * it is gone.
 */
export async function terminate(identity: ProcessIdentity, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  const deadline = performance.now() + graceMs;
  let sent: NodeJS.Signals = signal;
  signalIfRunning(identity, sent);
  while (isRunning(identity)) {
    if (sent !== 'SIGKILL' && performance.now() > deadline) {
      sent = 'SIGKILL';
      signalIfRunning(identity, sent);
    }
    await sleep(25);
  }
}

function signalIfRunning(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    if (isRunning(identity)) process.kill(identity.pid, signal);
  } catch (error) {
    // It ended between the look and the signal, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
