-- Up Migration

-- Invoices are read by keyset: for them after_number, through_number, next_offset and watermark are seconds since 1970 of
-- UpdatedDateUTC (see them with to_timestamp), and 0 is before all.
alter table daybook.import_run
  add column next_page int not null default 1,
  add column beyond_second bigint,
  add column closing_pages int not null default 0;
comment on column daybook.import_run.next_page is
  'Invoices: page within next_offset''s second, where that fills more than one; negative while they are read once more, backwards.';
comment on column daybook.import_run.beyond_second is
  'Invoices: where the run goes on once such a second has been read backwards.';
comment on column daybook.import_run.closing_pages is 'Invoices: how many pages in a row reached the end of what there was.';

alter table daybook.page_receipt add column page int not null default 1;
alter table daybook.page_receipt drop constraint page_receipt_pkey;
alter table daybook.page_receipt add primary key (run_id, after_number, page);

alter table daybook.quarantine add column invoice_id text;

-- Postgres would take the texts "NaN" and "Infinity" for amounts, and every sum they enter would be so from then on. NaN is
-- greater than all.
alter table xero.invoice add constraint amounts_are_numbers check (
  abs(coalesce(sub_total, 0)) + abs(coalesce(total_tax, 0)) + abs(coalesce(total, 0)) + abs(coalesce(total_discount, 0))
  + abs(coalesce(amount_due, 0)) + abs(coalesce(amount_paid, 0)) + abs(coalesce(amount_credited, 0))
  + abs(coalesce(cisdeduction, 0)) + abs(coalesce(currency_rate, 0)) < 'Infinity'
);
alter table xero.invoice_line_item add constraint amounts_are_numbers check (
  abs(coalesce(quantity, 0)) + abs(coalesce(unit_amount, 0)) + abs(coalesce(line_amount, 0)) + abs(coalesce(tax_amount, 0))
  + abs(coalesce(discount_rate, 0)) + abs(coalesce(discount_amount, 0)) < 'Infinity'
);
