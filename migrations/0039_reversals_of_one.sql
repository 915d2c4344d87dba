-- Up Migration

-- `xero.journal_reversal` for one organisation and basis. The view pairs all that may be read, whatever is asked for: its pairs are
-- materialized, and the ledger's join hides the organisation from the planner (0025). Where many organisations lie in one database, whoever
-- reads the ledger of one is better served by the view without its pairs and these. The setting keeps the planner from writing the
-- function out in place, where it would expect a handful of pairs once more.
create function xero.reversals_of(tenant uuid, of_basis text)
  returns table (journal_id uuid, first_journal_id uuid, last_journal_id uuid, same_date boolean, reversed_at timestamptz)
  language sql stable security invoker parallel safe rows 10000 set search_path = pg_catalog, pg_temp
begin atomic
with repeated as (
  select j.journal_id, j.journal_number, j.journal_date, j.created_date_utc, j.source_type, j.source_id
    from (select o.*, count(*) over (partition by o.source_id) as journals
            from xero.journal o where o.tenant_id = tenant and o.basis = of_basis and o.source_id is not null) j
   where j.journals > 1
), line as materialized (
  select r.*, l.net_amount,
         concat_ws(' ', coalesce(l.account_id::text, l.account_code),
                   (select string_agg(t.tracking_option_id::text, ' ' order by t.tracking_option_id)
                      from xero.journal_line_tracking t
                     where (t.tenant_id, t.basis, t.journal_id, t.line_index)
                         = (l.tenant_id, l.basis, l.journal_id, l.line_index))) as place
    from repeated r join xero.journal_line l on (l.tenant_id, l.basis, l.journal_id) = (tenant, of_basis, r.journal_id)
), effect as (
  select line.journal_id, journal_number, journal_date, created_date_utc, source_type, source_id,
         md5(string_agg(place || ' ' || trim_scale(net_amount), '|' order by place, net_amount)) as effect,
         md5(string_agg(place || ' ' || trim_scale(-net_amount), '|' order by place, -net_amount)) as opposite
    from line
   group by line.journal_id, journal_number, journal_date, created_date_utc, source_type, source_id
), counted as (
  select e.*, least(e.effect, e.opposite) as kind,
         row_number() over (partition by source_id, source_type, e.effect order by journal_number) as nth
    from effect e where e.effect <> e.opposite
), paired as (
  select c.journal_id, c.journal_date, c.created_date_utc,
         count(*) over pair as members,
         first_value(c.journal_id) over in_order as first_id, first_value(c.journal_date) over in_order as first_date,
         last_value(c.journal_id) over in_order as last_id, last_value(c.journal_date) over in_order as last_date,
         last_value(c.created_date_utc) over in_order as last_created
    from counted c
  window pair as (partition by source_id, source_type, kind, nth),
         in_order as (partition by source_id, source_type, kind, nth order by journal_number
                      rows between unbounded preceding and unbounded following)
)
select p.journal_id, p.first_id, p.last_id, p.first_date = p.last_date, p.last_created from paired p where p.members = 2;
end;
comment on function xero.reversals_of(uuid, text) is
  'The journals of one organisation and basis that are half of a pair that cancels: the first and the last of it, whether both have one date, and when it was undone.';
