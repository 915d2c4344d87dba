-- Up Migration

-- The key goes by the line's place: Xero gives edited lines new ids, and under the old ones they would stay wherever they
-- were loaded.
create view xero.invoice_register with (security_invoker = true) as
select l.tenant_id, concat_ws('/', l.tenant_id, l.invoice_id, l.line_index) as line_key, l.invoice_id, l.line_index,
       l.line_item_id, i.type, i.status, i.invoice_number, i.reference, i.contact_id,
       coalesce(c.name, i.contact_name) as contact_name, i.date, i.due_date, i.fully_paid_on_date, i.updated_date_utc,
       i.currency_code, i.currency_rate, i.sub_total as invoice_sub_total, i.total_tax as invoice_total_tax,
       i.total as invoice_total, i.amount_due as invoice_amount_due, i.amount_paid as invoice_amount_paid,
       i.amount_credited as invoice_amount_credited, i.line_amount_types, l.description, l.quantity, l.unit_amount,
       l.line_amount, l.tax_amount, l.tax_type, l.item_code, l.account_code, l.account_id, l.discount_rate, l.discount_amount,
       coalesce(c1.name, t1.name) as tracking_category_1, coalesce(o1.name, t1.option) as tracking_option_1,
       coalesce(c2.name, t2.name) as tracking_category_2, coalesce(o2.name, t2.option) as tracking_option_2
  from xero.invoice_line_item l
  join xero.invoice i using (tenant_id, invoice_id)
  left join xero.contact c on (c.tenant_id, c.contact_id) = (i.tenant_id, i.contact_id)
  left join xero.invoice_line_item_tracking t1
         on (t1.tenant_id, t1.invoice_id, t1.line_index, t1.tracking_index) = (l.tenant_id, l.invoice_id, l.line_index, 1)
  left join xero.tracking_category c1
         on (c1.tenant_id, c1.tracking_category_id) = (t1.tenant_id, t1.tracking_category_id)
  left join xero.tracking_category_option o1
         on (o1.tenant_id, o1.tracking_category_id, o1.tracking_option_id)
          = (t1.tenant_id, t1.tracking_category_id, t1.tracking_option_id)
  left join xero.invoice_line_item_tracking t2
         on (t2.tenant_id, t2.invoice_id, t2.line_index, t2.tracking_index) = (l.tenant_id, l.invoice_id, l.line_index, 2)
  left join xero.tracking_category c2
         on (c2.tenant_id, c2.tracking_category_id) = (t2.tenant_id, t2.tracking_category_id)
  left join xero.tracking_category_option o2
         on (o2.tenant_id, o2.tracking_category_id, o2.tracking_option_id)
          = (t2.tenant_id, t2.tracking_category_id, t2.tracking_option_id);
comment on view xero.invoice_register is
  'Invoices flat: one row a line item, with its invoice. Columns invoice_… repeat on every line of one.';

comment on column daybook.page_receipt.journals is 'Rows in the page: journals, or invoices.';
