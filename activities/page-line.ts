import type { Pace } from '../model/pace.ts';
import { isAboutData } from '../storage/data-errors.ts';
import { areOnDisk, isNoneBeyond, type JournalPage, storePage } from '../storage/pages.ts';
import { Pipeline } from '../storage/pipeline.ts';
import { runAtWork } from '../storage/runs.ts';
import { InOrder } from './in-order.ts';
import type { Dependencies } from './index.ts';
import { storePatiently } from './store-patiently.ts';

/** A page comes right behind another up to so long after that is stored: where Xero takes longer than that there is time for the disk. */
const rightBehindMs = 20;

type Needed = Pick<Dependencies, 'pool' | 'meters'>;

/**
 * Stores the pages of one slice, one behind the other. Only where none is right in front does a commit wait for the disk: of pages that come right
 * behind each other Postgres may forget some when it crashes, each whole, cursor and all, and they are fetched again
 * (docs/decisions/0053-commits-behind-each-other.md). When all is said to be done it is on the disk.
 */
export class PageLine {
  readonly #order = new InOrder();
  readonly #needed: Needed;
  readonly #pipeline: Pipeline;
  readonly #pace: Pace;
  #underWay = 0;
  #lastStoredAt = Number.NEGATIVE_INFINITY;
  /** The last page whose commit did not wait for the disk, where none behind it has. */
  #hasty: JournalPage | null = null;
  /** Whether nothing was stored beyond where the slice began, nor has been met since. */
  #isNews: Promise<boolean>;

  /** `from` is where its first page begins. */
  constructor(needed: Needed, run: Pick<JournalPage, 'tenantId' | 'stream'>, from: number, pace: Pace) {
    this.#needed = needed;
    this.#pace = pace;
    this.#pipeline = new Pipeline(needed.pool);
    // Asked while the first page is on its way. Where Postgres is away that page's storing says so.
    this.#isNews = isNoneBeyond(needed.pool, run, from).catch(() => false);
  }

  /** As `InOrder.hasRoom`: where there is none any more another attempt has stored the pages before, and this one is a zombie. */
  hasRoom(): Promise<boolean> {
    return this.#order.hasRoom();
  }

  /** Begins to store a page, for which there must be room. */
  begin(page: JournalPage): void {
    this.#order.begin(() => this.#store(page));
  }

  /** Whether all is stored, though a crash of Postgres may still forget some. */
  isStored(): Promise<boolean> {
    return this.#order.isDone();
  }

  /** Whether all is stored, and on the disk. */
  async isDone(): Promise<boolean> {
    if (!(await this.isStored())) return false;
    const hasty = this.#hasty;
    if (hasty === null) return true;
    const isThere = () => areOnDisk(this.#needed.pool, hasty.runId, hasty.through);
    if (!(await storePatiently(isThere, isThere))) return false;
    this.#hasty = null;
    return true;
  }

  async #store(page: JournalPage): Promise<boolean> {
    const { pool, meters } = this.#needed;
    // Beyond it, where the page that was sent right behind is stored as well.
    const isBehind = async () => ((await runAtWork(pool, page.runId))?.nextOffset ?? -1) >= page.through;
    const began = performance.now();
    const isHasty = this.#underWay > 0 || began - this.#lastStoredAt < rightBehindMs;
    let tries = 0;
    const store = () => {
      tries++;
      return this.#try(page, isHasty);
    };
    this.#underWay++;
    try {
      if (!(await storePatiently(store, isBehind))) return false;
      // One that was found stored already may be told behind the next.
      if (page.through >= (this.#hasty?.through ?? 0)) this.#hasty = isHasty ? page : null;
      // It was sent before its turn came, as a rule.
      const tookMs = performance.now() - Math.max(began, this.#lastStoredAt);
      this.#lastStoredAt = performance.now();
      // While Postgres is away nothing is learnt of how fast it stores.
      if (tries === 1) this.#pace.stored(tookMs);
      meters.stored(page.stream, page.count);
      return true;
    } finally {
      this.#underWay--;
    }
  }

  /** A page that begins before the one in front ends brings again what that brought. */
  async #try(page: JournalPage, isHasty: boolean): Promise<boolean> {
    const isNews = page.askedAfter === page.after && (await this.#isNews);
    try {
      return await storePage(this.#needed.pool, page, { pipeline: this.#pipeline, isHasty, isNews });
    } catch (error) {
      if (!isNews || !isAboutData(error)) throw error;
      this.#isNews = Promise.resolve(false);
      return this.#try(page, isHasty);
    }
  }
}
