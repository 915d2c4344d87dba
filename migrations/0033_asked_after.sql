-- Up Migration

-- Calls in flight overlap where numbers are sparse: a page begins behind the one before, but was asked for from further back. How
-- far it reached is told by that (decision 32). Null: as far back as it begins.
alter table daybook.page_receipt add asked_after bigint;
comment on column daybook.page_receipt.asked_after is 'The offset with which a page of journals was asked for, where it is not after_number.';
