import { jsonMoney, jsonText, msDate } from '../wire.ts';
import { cents, type Invoice, type InvoiceLine, type Settlement, totalsOf } from './invoice.ts';

export interface InvoiceStyle {
  /** Four decimals of unit prices (`unitdp=4`) instead of two. */
  readonly fourDecimals: boolean;
  /** `paged`: all of it. `unpaged`: no lines. `summary`: no lines, payments or attachments. */
  readonly extent: 'paged' | 'unpaged' | 'summary';
}

const dateString = (ms: number): string => `"${new Date(ms).toISOString().slice(0, 19)}"`;
const dates = (name: string, ms: number): string => `"${name}String":${dateString(ms)},"${name}":${msDate(ms)}`;

function writeLine(line: InvoiceLine, style: InvoiceStyle): string {
  const parts = [`"LineItemID":"${line.id}"`];
  if (line.description !== undefined) parts.push(`"Description":${jsonText(line.description)}`);
  if (line.account) {
    const unit = style.fourDecimals ? line.unit : cents(line.unit);
    parts.push(`"UnitAmount":${jsonMoney(unit)}`, `"TaxType":${jsonText(line.taxType ?? 'NONE')}`);
    parts.push(`"TaxAmount":${jsonMoney(line.tax)}`, `"LineAmount":${jsonMoney(line.amount)}`);
    if (line.account.code !== undefined) parts.push(`"AccountCode":${jsonText(line.account.code)}`);
    parts.push(`"AccountID":"${line.account.id}"`, `"Quantity":${jsonMoney(line.quantity)}`);
  } else parts.push('"TaxAmount":0.00', '"LineAmount":0.00');
  const tags = line.tracking.map(
    ({ category, option }) =>
      `{"Name":${jsonText(category.name)},"Option":${jsonText(option.name)},"TrackingCategoryID":"${category.id}","TrackingOptionID":"${option.id}"}`,
  );
  parts.push(`"Tracking":[${tags.join(',')}]`);
  return `{${parts.join(',')}}`;
}

function writeSettlement(settlement: Settlement, invoice: Invoice): string {
  const { kind, id, date, amount } = settlement;
  const rate = `"CurrencyRate":${invoice.rate}`;
  if (kind === 'payment')
    return `{"PaymentID":"${id}","Date":${msDate(date)},"Amount":${jsonMoney(amount)},${rate},"HasAccount":false,"HasValidationErrors":false}`;
  const name = { creditNote: 'CreditNoteID', prepayment: 'PrepaymentID', overpayment: 'OverpaymentID' }[kind];
  const number = kind === 'creditNote' ? `"CreditNoteNumber":"CN-${id.slice(0, 4)}","HasErrors":false,` : '';
  return `{"${name}":"${id}",${number}"Date":${msDate(date)},"Total":${jsonMoney(amount)},"AppliedAmount":${jsonMoney(amount)},${rate}}`;
}

function writeContact({ contact }: Invoice, full: boolean): string {
  const more = full ? { ContactStatus: contact.status, EmailAddress: contact.email, ContactPersons: [] } : {};
  const lists = { Addresses: [], Phones: [], ContactGroups: [] };
  return JSON.stringify({ ContactID: contact.id, Name: contact.name, ...more, ...lists, HasValidationErrors: false });
}

/** The JSON text of one invoice; every number is written from a bigint or from decimal text. */
export function writeInvoice(invoice: Invoice, style: InvoiceStyle): string {
  const totals = totalsOf(invoice);
  const of = (kind: Settlement['kind']): string =>
    `[${invoice.settlements
      .filter((each) => each.kind === kind)
      .map((each) => writeSettlement(each, invoice))
      .join(',')}]`;
  const parts = [`"Type":"${invoice.type}"`, `"InvoiceID":"${invoice.id}"`];
  parts.push(`"InvoiceNumber":${jsonText(invoice.number)}`, `"Reference":${jsonText(invoice.reference)}`);
  if (style.extent !== 'summary') {
    parts.push(`"Payments":${of('payment')}`, `"CreditNotes":${of('creditNote')}`);
    parts.push(`"Prepayments":${of('prepayment')}`, `"Overpayments":${of('overpayment')}`, '"HasAttachments":false');
  }
  parts.push(`"AmountDue":${jsonMoney(totals.due)}`, `"AmountPaid":${jsonMoney(totals.paid)}`);
  parts.push(`"AmountCredited":${jsonMoney(totals.credited)}`, `"CurrencyRate":${invoice.rate}`);
  parts.push(`"SentToContact":${invoice.sent}`, '"HasErrors":false', '"IsDiscounted":false');
  parts.push(`"Contact":${writeContact(invoice, style.extent === 'paged')}`);
  parts.push(dates('Date', invoice.date), dates('DueDate', invoice.dueDate), `"Status":"${invoice.status}"`);
  parts.push(`"LineAmountTypes":"${invoice.lineAmountTypes}"`);
  if (style.extent !== 'summary') {
    const lines = style.extent === 'paged' ? invoice.lines.map((line) => writeLine(line, style)) : [];
    parts.push(`"LineItems":[${lines.join(',')}]`);
  }
  parts.push(`"SubTotal":${jsonMoney(totals.subTotal)}`, `"TotalTax":${jsonMoney(totals.tax)}`);
  parts.push(`"Total":${jsonMoney(totals.total)}`, `"UpdatedDateUTC":${msDate(invoice.updated)}`);
  parts.push(`"UpdatedDateUTCString":"${new Date(invoice.updated).toISOString().slice(0, 19)}Z"`);
  parts.push(`"CurrencyCode":"${invoice.currency}"`);
  const last = invoice.settlements.at(-1);
  if (invoice.status === 'PAID' && last) parts.push(`"FullyPaidOnDate":${msDate(last.date)}`);
  return `{${parts.join(',')}}`;
}
