import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  type SignalDefinition,
  setHandler,
} from '@temporalio/workflow';
import type { Progress } from '../model/run.ts';

// Everything that can be said to a running import, and to a reconciliation.

/** Stop after the page in flight and wait for `resume`. */
export const pause = defineSignal('pause');
/** Go on after `pause`. A run that waits for Xero asks anew whether it may call; it still makes no call too early. */
export const resume = defineSignal('resume');
/** Wake from a wait and ask anew, as what is waited for may have come; what is paused stays so. Daybook itself says it. */
export const lookAgain = defineSignal('lookAgain');
/** Stop after the page in flight and end as `cancelled`; what is stored stays. */
export const cancel = defineSignal('cancel');
/** Where the import stands; a worker answers it, also during a wait. */
export const progress = defineQuery<Progress>('progress');

/** What a reconciliation waits for, in words; null while it is at work. */
export const waitingFor = defineQuery<string | null>('waitingFor');

/**
 * What people have asked of this run. `pause` and `cancel` make it want rest, and `resume` takes a pause back; each of them, and
 * `lookAgain`, wakes it from a sleep.
 */
export class Controls {
  paused = false;
  cancelled = false;
  #woken = false;

  constructor() {
    const hears = (signal: SignalDefinition<[], string>, description: string, act: () => void) =>
      setHandler(
        signal,
        () => {
          act();
          this.#woken = true;
        },
        { description },
      );
    hears(pause, 'Stops after the page in flight and waits for resume.', () => {
      this.paused = true;
    });
    hears(resume, 'Goes on after pause. An import that waits for Xero asks anew whether it may call.', () => {
      this.paused = false;
    });
    hears(lookAgain, 'Ends a wait for Xero or for a new consent, to ask anew; what is paused stays so.', () => {});
    hears(cancel, 'Stops after the page in flight and ends as cancelled; what is stored stays.', () => {
      this.cancelled = true;
    });
  }

  /** Somebody asked for no more pages. */
  get wantsRest(): boolean {
    return this.paused || this.cancelled;
  }

  /** Resolves once somebody asks for no more pages, or cancels the workflow; at the latest when `work` has ended, however. */
  async untilStoppedOrEnded(work: Promise<unknown>): Promise<void> {
    const ended = work.then(
      () => {},
      () => {},
    );
    const scope = new CancellationScope();
    // A cancelled workflow cannot wait any longer, which says just what is waited for.
    const stopped = scope.run(() => condition(() => this.wantsRest)).catch(() => {});
    await Promise.race([ended, stopped]);
    // A condition that is left behind is asked at every step of the workflow.
    scope.cancel();
  }

  /** From here on whatever is said ends the next sleep, also when it is said before that begins: a day is long to sleep over it. */
  forgetEarlierWakes(): void {
    this.#woken = false;
  }

  /** Sleeps on a durable timer, which `summary` explains in the Temporal UI, until the time has come or somebody speaks. */
  async sleepUntil(until: number, summary: string): Promise<void> {
    const ms = until - Date.now();
    if (ms > 0 && !this.#woken) await condition(() => this.#woken, ms, { summary });
  }

  /** Waits, for as long as it takes, until somebody resumes or cancels. */
  async untilResumed(): Promise<void> {
    await condition(() => !this.paused || this.cancelled);
  }
}
