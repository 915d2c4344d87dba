/**
 * The sandbox's clock. Two things bend it: `timeScale` shortens every duration that Xero states (at 60, a sandbox minute
 * lasts one real second), and `advance` jumps, so that a test can stand 31 minutes later without waiting.
 */
export interface Clock {
  /** Milliseconds since 1970, plus every jump made so far. All expiries and windows are measured on it. */
  now(): number;
  /** The machine's own clock, for whatever a client compares with its own: token claims, the call log. */
  wall(): number;
  /** How long `seconds` of Xero's time last here, in real milliseconds. */
  realMs(xeroSeconds: number): number;
  /** Jumps ahead by real milliseconds: windows roll over and tokens age as though the time had passed. */
  advance(realMs: number): void;
}

/** @param timeScale how many of Xero's seconds pass in one real second; more than 0. */
export function startClock(timeScale: number): Clock {
  if (!(timeScale > 0)) throw new Error(`timeScale is ${timeScale}; it must be a number above 0, such as 60.`);
  let jumped = 0;
  return {
    now: () => Date.now() + jumped,
    wall: () => Date.now(),
    realMs: (xeroSeconds) => (xeroSeconds * 1000) / timeScale,
    advance: (realMs) => {
      jumped += realMs;
    },
  };
}
