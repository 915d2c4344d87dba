-- Up Migration

-- A newer copy of an invoice that cannot be stored goes to quarantine, and the row stayed as it was without a mark.
alter table xero.invoice add column stale_since timestamptz;
comment on column xero.invoice.stale_since is
  'Since when Xero has had a newer copy that could not be stored, which is in daybook.quarantine by its invoice_id; null where the row is what Xero sent last.';

-- Of what lies in quarantine already: what came later than the copy that is stored.
update xero.invoice i set stale_since = q.since
  from (select tenant_id, lower(invoice_id) as invoice_id, max(quarantined_at) as since
          from daybook.quarantine where stream = 'invoices' and invoice_id is not null group by 1, 2) q
 where (i.tenant_id, i.invoice_id::text) = (q.tenant_id, q.invoice_id) and i.stored_at < q.since;
