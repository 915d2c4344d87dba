import type { Contact } from '../books/contacts.ts';
import type { Answer } from '../exchange.ts';
import { ifModifiedSince, isTrue } from './parameters.ts';
import type { ApiRequest } from './request.ts';
import { answerItems, dateMark, ordered } from './settings.ts';

function contactItem(contact: Contact): object {
  return {
    ContactID: contact.id,
    ContactStatus: contact.status,
    Name: contact.name,
    EmailAddress: contact.email,
    BankAccountDetails: '',
    Addresses: [],
    Phones: [],
    IsSupplier: contact.isSupplier,
    IsCustomer: contact.isCustomer,
    UpdatedDateUTC: dateMark(contact.updated),
    ContactGroups: [],
    HasAttachments: false,
    HasValidationErrors: false,
  };
}

/** `GET /Contacts`: paged with `page` (100, or `pageSize` clamped to 1,000), oldest change first. */
export function getContacts({ exchange, organisation, now }: ApiRequest): Answer {
  const since = ifModifiedSince(exchange);
  if (typeof since === 'object') return since;
  const { query } = exchange;
  const ids = query.get('IDs')?.toLowerCase().split(',');
  const term = query.get('searchTerm')?.toLowerCase();
  const found = organisation.books.reference
    .contacts()
    .filter((each) => isTrue(query.get('includeArchived')) || each.status === 'ACTIVE')
    .filter((each) => since === undefined || each.updated >= since)
    .filter((each) => ids === undefined || ids.includes(each.id))
    .filter((each) => term === undefined || `${each.name} ${each.email}`.toLowerCase().includes(term))
    .map(contactItem);
  const sorted = ordered(found, exchange);
  if (!Array.isArray(sorted)) return sorted;
  if (!query.has('page')) return answerItems('Contacts', sorted, now);
  const page = Number(query.get('page'));
  const pageSize = Math.min(Number(query.get('pageSize') ?? 100), 1000);
  const pagination = { page, pageSize, pageCount: Math.ceil(sorted.length / pageSize), itemCount: sorted.length };
  const items = sorted.slice((page - 1) * pageSize, page * pageSize);
  return answerItems('Contacts', items, now, `"pagination":${JSON.stringify(pagination)},`);
}
