import type { Journal } from '../books/journal.ts';
import type { Ledger } from '../books/ledger.ts';
import { journalIdOf, writeJournal } from '../books/written.ts';
import { notFound } from '../dialects.ts';
import type { Answer } from '../exchange.ts';
import type { BentPage } from '../faults.ts';
import { envelopeBytes } from '../wire.ts';
import { ifModifiedSince, isTrue, isUuid } from './parameters.ts';
import type { ApiRequest } from './request.ts';

const PAGE = 100;

const json = (body: Buffer): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body,
});

function bend(page: Journal[], idSeed: number, bent?: BentPage): Journal[] {
  const [first] = page;
  const rows = bent?.repeated === true && first ? [first, ...page] : page;
  const numbered = bent?.misnumbered ? rows.map((row) => misnumber(row, idSeed, bent)) : rows;
  return bent?.reversed === true ? numbered.toReversed() : numbered;
}

/** It keeps its id, which is made of its number. */
function misnumber(journal: Journal, idSeed: number, { misnumbered }: BentPage): Journal {
  if (journal.number !== misnumbered?.number) return journal;
  return { ...journal, id: journalIdOf(journal, idSeed), number: misnumbered.as };
}

/** `GET /Journals`: 100 a page, ascending, numbers above `offset`; If-Modified-Since compares CreatedDateUTC. */
export function getJournals({ exchange, organisation, now, bent }: ApiRequest): Answer {
  const since = ifModifiedSince(exchange);
  if (typeof since === 'object') return since;
  const { books } = organisation;
  const series: Ledger = isTrue(exchange.query.get('paymentsOnly')) ? books.cash : books;
  const offset = Number(exchange.query.get('offset') ?? 0);
  const page = bend(series.page(offset, bent?.rows ?? PAGE, since), series.idSeed, bent);
  return json(
    envelopeBytes(
      'Journals',
      page.map((journal) => writeJournal(journal, series.idSeed)),
      now,
    ),
  );
}

/** `GET /Journals/{id or number}`: without SourceID and SourceType, as Xero does. */
export function getJournal({ organisation, captured, now }: ApiRequest): Answer {
  const { books } = organisation;
  const byNumber = /^\d{1,15}$/.test(captured);
  if (!byNumber && !isUuid(captured)) return notFound();
  const key = captured.toLowerCase();
  const accrual = books.find(key);
  const cash = accrual || byNumber ? undefined : books.cash.find(key);
  const found = accrual ?? cash;
  if (!found) return notFound();
  return json(envelopeBytes('Journals', [writeJournal(found, accrual ? books.idSeed : books.cash.idSeed, true)], now));
}
