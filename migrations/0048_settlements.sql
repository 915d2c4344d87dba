-- Up Migration

-- What an invoice's payload tells of the document that settles it, beside the part that is applied to this invoice.
alter table xero.invoice_settlement
  add column number text,
  add column total numeric,
  add column remaining_credit numeric,
  add column status text;
-- Of what is stored already. Payments have none of these but a status, and are by far the most: theirs come with the next copy, or a
-- rebuild. What is no amount stays null here, as a migration that failed on it could not be repeated; imports are strict.
with sent as (
  select s.ctid as row, i.payload -> case s.kind when 'creditNote' then 'CreditNotes' when 'prepayment' then 'Prepayments'
                                                 else 'Overpayments' end -> (s.settlement_index - 1) as j
    from xero.invoice_settlement s join xero.invoice i using (tenant_id, invoice_id) where s.kind <> 'payment'
)
update xero.invoice_settlement s
   set number = coalesce(nullif(j->>'CreditNoteNumber', ''), nullif(j->>'InvoiceNumber', '')),
       total = case when j->>'Total' ~ '^-?\d+(\.\d+)?$' then (j->>'Total')::numeric end,
       remaining_credit = case when j->>'RemainingCredit' ~ '^-?\d+(\.\d+)?$' then (j->>'RemainingCredit')::numeric end,
       status = nullif(j->>'Status', '')
  from sent where s.ctid = sent.row;

-- A text "NaN" is no amount here either; what is there already is left as it is.
alter table xero.invoice_settlement add constraint amounts_are_numbers check (
  abs(coalesce(amount, 0)) + abs(coalesce(currency_rate, 0)) + abs(coalesce(total, 0)) + abs(coalesce(remaining_credit, 0)) < 'Infinity'
) not valid;

comment on column xero.invoice_settlement.date is
  'Of a payment: when it was made. Of a credit note, prepayment or overpayment: the document''s own date; when it was applied is not told.';
comment on column xero.invoice_settlement.amount is
  'What of it settles this invoice, in the currency of the invoice.';
comment on column xero.invoice_settlement.currency_rate is
  'Units of the document''s currency for one of the base currency: base amount = amount / currency_rate.';
comment on column xero.invoice_settlement.number is
  'The number of a credit note, or of a prepayment received.';
comment on column xero.invoice_settlement.total is
  'The whole of the credit note, prepayment or overpayment; null of a payment, which is its amount.';
comment on column xero.invoice_settlement.remaining_credit is
  'What of it was not applied to anything yet when this invoice was read.';
comment on column xero.invoice_settlement.status is
  'The document''s status, where the invoice tells it.';
comment on column xero.invoice.currency_rate is
  'Units of the invoice''s currency for one of the base currency: base amount = amount / currency_rate.';

-- A document's journal posts the whole of it. Where only a part settles the one invoice that is known, or how much there is in all is not
-- known, its lines are not that invoice's: the sums by invoice would take more from it than settles it.
create or replace view xero.settled_document with (security_invoker = true) as
select d.tenant_id, d.settlement_id, d.contact_id, d.contact_name,
       case when d.is_whole then d.invoice_id end as invoice_id,
       case when d.is_whole then d.invoice_number end as invoice_number,
       case when d.is_whole then d.due_date end as due_date
  from (select s.tenant_id, s.settlement_id,
               case when count(distinct i.contact_id) = 1 then min(i.contact_id::text)::uuid end as contact_id,
               case when count(distinct i.contact_id) = 1 then max(i.contact_name) end as contact_name,
               min(i.invoice_id::text)::uuid as invoice_id, min(i.invoice_number) as invoice_number, min(i.due_date) as due_date,
               count(distinct i.invoice_id) = 1 and (bool_and(s.kind = 'payment') or sum(s.amount) = max(s.total)) as is_whole
          from xero.invoice_settlement s join xero.invoice i using (tenant_id, invoice_id)
         where s.settlement_id is not null
         group by s.tenant_id, s.settlement_id) d;
comment on view xero.settled_document is
  'Whose a payment, credit note, prepayment or overpayment is, as far as it is one contact''s; and the invoice, where all of it settles that one.';
