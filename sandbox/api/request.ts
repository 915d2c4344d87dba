import type { Exchange } from '../exchange.ts';
import type { BentPage } from '../faults.ts';
import type { Organisation } from './organisation.ts';

/** A call that is allowed and well formed, ready to be answered. */
export interface ApiRequest {
  readonly exchange: Exchange;
  readonly organisation: Organisation;
  /** What the route's pattern captured, e.g. an id. */
  readonly captured: string;
  /** The sandbox's clock: ms. */
  readonly now: number;
  /** A scripted bend of the page. */
  readonly bent?: BentPage;
}
