/** How much one more counts in a mean of those before. */
const weight = 1 / 8;
/** So much longer than storing a page may an answer take before another call in flight is worth its price. */
const patience = 0.25;

/** How fast the pages of one organisation come, and are stored: what was seen of them last. */
export class Pace {
  /** What the last answer took, in milliseconds; 0 before there was one. */
  latencyMs = 0;
  #answerMs: number | null = null;
  #storeMs: number | null = null;

  /** An answer has come, in so many milliseconds. */
  answered(ms: number): void {
    this.latencyMs = ms;
    this.#answerMs = meanOf(this.#answerMs, ms);
  }

  /** A page has been stored, and kept whoever stores for so many milliseconds. */
  stored(ms: number): void {
    this.#storeMs = meanOf(this.#storeMs, ms);
  }

  /**
   * How many calls in flight bring pages as fast as they are stored: with more of them an import would not be faster, and
   * each overlaps with the one before, or may be in vain. One where nothing is known.
   */
  get lanes(): number {
    if (this.#answerMs === null || this.#storeMs === null) return 1;
    return Math.max(1, Math.ceil(this.#answerMs / this.#storeMs - patience));
  }
}

function meanOf(before: number | null, ms: number): number {
  return before === null ? ms : before + (ms - before) * weight;
}
