import type { LimitProblem } from './limits.ts';

/** One request as the sandbox saw it: the tests' oracle for pacing. All times are real milliseconds since 1970. */
export interface Call {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly appId: string | null;
  readonly tenantId: string | null;
  readonly ifModifiedSince: string | null;
  /** Calls of this app and tenant in flight, this one included. */
  inFlight: number;
  /** 0 when the connection was cut before an answer, or while it is still unanswered. */
  status: number;
  /** When the answer was sent or the connection cut; 0 while unanswered. */
  endedAt: number;
  problem: LimitProblem | null;
  retryAfter: number | null;
  /** The scripted fault that shaped the answer. */
  fault: string | null;
  /** It came before a time that an earlier answer to this tenant had named in Retry-After. */
  early: boolean;
  /** With `early`: how many ms before the named time, and how long the client had had to learn of it. */
  earlyByMs: number;
  knownForMs: number;
}

export interface CallLog {
  all(): Call[];
  /** Calls for lists of journals (any basis), of one tenant or of all. */
  journals(tenantId?: string): Call[];
  early(): Call[];
  reset(): void;
}

export interface CallRecorder extends CallLog {
  begin(call: Pick<Call, 'method' | 'path' | 'query' | 'appId' | 'tenantId' | 'ifModifiedSince' | 'inFlight'>): Call;
  /** Notes that an answer named a time before which no call for this tenant may come. */
  named(call: Call, seconds: number): void;
}

/** @param wall stamps the calls; @param now measures the waits, so that a jump of the sandbox's clock ends them, too. */
export function callLog(keep: number, wall: () => number, now: () => number): CallRecorder {
  let calls: Call[] = [];
  const waits = new Map<string, { until: number; namedAt: number }>();
  const waitKey = (call: Pick<Call, 'appId' | 'tenantId'>): string => `${call.appId} ${call.tenantId}`;

  return {
    all: () => [...calls],
    journals: (tenantId) =>
      calls.filter(
        (call) => call.path === '/api.xro/2.0/Journals' && (tenantId === undefined || call.tenantId === tenantId),
      ),
    early: () => calls.filter((call) => call.early),
    reset() {
      calls = [];
    },
    begin(given) {
      const at = wall();
      const wait = given.tenantId === null ? undefined : waits.get(waitKey(given));
      const since = now();
      const early = wait !== undefined && since < wait.until;
      const call: Call = {
        ...given,
        at,
        status: 0,
        endedAt: 0,
        problem: null,
        retryAfter: null,
        fault: null,
        early,
        earlyByMs: early ? wait.until - since : 0,
        knownForMs: early ? since - wait.namedAt : 0,
      };
      calls.push(call);
      // Dropping half at once keeps the cost of a long soak constant a call.
      if (calls.length > keep) calls = calls.slice(Math.floor(keep / 2));
      return call;
    },
    named(call, seconds) {
      call.retryAfter = seconds;
      const until = now() + seconds * 1000;
      const known = waits.get(waitKey(call));
      if (!known || until > known.until) waits.set(waitKey(call), { until, namedAt: now() });
    },
  };
}
