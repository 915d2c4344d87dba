/** A time limit on one whole call, the body included; axios' own `timeout` starts anew with every byte. */
export interface Deadline {
  signal: AbortSignal;
  seconds: number;
  /** Whether the time limit, and not the caller, ended the call. */
  passed(): boolean;
  /** Must be called when the call is over: frees the timer and the listener on the caller's signal. */
  end(): void;
}

/** Starts a time limit that the caller's signal can shorten. (AbortSignal.any leaks on long-lived signals in Node 20.) */
export function startDeadline(milliseconds: number, caller?: AbortSignal): Deadline {
  const controller = new AbortController();
  let passed = false;
  const timer = setTimeout(() => {
    passed = true;
    controller.abort();
  }, milliseconds);
  const stop = () => controller.abort();
  caller?.addEventListener('abort', stop, { once: true });
  if (caller?.aborted === true) stop();
  return {
    signal: controller.signal,
    seconds: milliseconds / 1_000,
    passed: () => passed,
    end() {
      clearTimeout(timer);
      caller?.removeEventListener('abort', stop);
    },
  };
}
