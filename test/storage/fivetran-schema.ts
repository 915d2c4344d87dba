/**
 * The tables of Fivetran's Xero schema that dbt_xero reads, and their columns by type, as its staging macros list them.
 * `journal_cash` and its two have the columns of `journal` and its two. Wider than there: discounts and rates, which the
 * package calls integers, are numeric, and journal numbers bigint.
 */
export const fivetranSchema: Record<string, Record<string, string>> = {
  organization: {
    text: 'apikey base_currency class country_code default_purchases_tax default_sales_tax edition employer_identification_number legal_name line_of_business name organisation_entity_type organisation_id organisation_status organisation_type registration_number sales_tax_basis sales_tax_period short_code tax_number tax_number_name timezone version',
    'timestamp without time zone': '_fivetran_synced created_date_utc',
    date: 'end_of_year_lock_date period_lock_date',
    integer: 'financial_year_end_day financial_year_end_month',
    boolean: 'is_demo_company pays_tax',
  },
  account: {
    text: 'account_id bank_account_number bank_account_type class code currency_code description name reporting_code reporting_code_name status system_account tax_type type',
    'timestamp without time zone': '_fivetran_synced updated_date_utc',
    boolean: 'enable_payments_to_account has_attachments show_in_expense_claims',
  },
  contact: {
    text: 'account_number accounts_payable_tax_type accounts_receivable_tax_type bank_account_details batch_payments_bank_account_name batch_payments_bank_account_number batch_payments_code batch_payments_details batch_payments_reference branding_theme_id contact_id contact_number contact_status default_currency email_address first_name last_name name purchases_default_account_code sales_default_account_code skype_user_name tax_number website xero_network_key',
    'timestamp without time zone': '_fivetran_synced updated_date_utc',
    numeric:
      'balances_accounts_payable_outstanding balances_accounts_payable_overdue balances_accounts_receivable_outstanding balances_accounts_receivable_overdue discount',
    boolean: '_fivetran_deleted has_attachments has_validation_errors is_customer is_supplier',
  },
  invoice: {
    text: 'branding_theme_id contact_id currency_code invoice_id invoice_number line_amount_types reference status type url',
    'timestamp without time zone': '_fivetran_synced expected_payment_date planned_payment_date updated_date_utc',
    date: 'date due_date fully_paid_on_date',
    numeric: 'amount_credited amount_due amount_paid cisdeduction currency_rate sub_total total total_tax',
    boolean: 'has_attachments has_errors is_discounted sent_to_contact',
  },
  invoice_line_item: {
    text: 'account_code description invoice_id item_code line_item_id tax_type validation_errors',
    'timestamp without time zone': '_fivetran_synced',
    numeric: 'line_amount quantity tax_amount unit_amount discount_rate',
    boolean: 'discount_entered_as_percent',
  },
  invoice_line_item_has_tracking_category: {
    text: 'invoice_id line_item_id option tracking_category_id',
    'timestamp without time zone': '_fivetran_synced',
  },
  journal: {
    text: 'journal_id reference source_id source_type',
    'timestamp without time zone': '_fivetran_synced created_date_utc',
    date: 'journal_date',
    bigint: 'journal_number',
  },
  journal_line: {
    text: 'account_code account_id account_name account_type description journal_id journal_line_id tax_name tax_type',
    'timestamp without time zone': '_fivetran_synced',
    numeric: 'gross_amount net_amount tax_amount',
  },
  journal_line_has_tracking_category: {
    text: 'journal_id journal_line_id option tracking_category_id tracking_category_option_id',
    'timestamp without time zone': '_fivetran_synced',
  },
  tracking_category: {
    text: 'name status tracking_category_id',
    'timestamp without time zone': '_fivetran_synced',
  },
  tracking_category_option: {
    text: 'name status tracking_option_id',
    'timestamp without time zone': '_fivetran_synced',
    boolean: 'has_validation_errors is_active is_archived is_deleted',
  },
  tracking_category_has_option: {
    text: 'tracking_category_id tracking_option_id',
    'timestamp without time zone': '_fivetran_synced',
  },
  credit_note: {
    text: 'branding_theme_id contact_id credit_note_id credit_note_number currency_code line_amount_types reference status type',
    'timestamp without time zone': '_fivetran_synced updated_date_utc',
    date: 'date due_date fully_paid_on_date',
    numeric: 'applied_amount currency_rate remaining_credit sub_total total total_tax',
    boolean: 'has_attachments sent_to_contact',
  },
  bank_transaction: {
    text: 'bank_account_id bank_transaction_id batch_payment_batch_payment_id batch_payment_id batch_payment_status batch_payment_type contact_id currency_code external_link_provider_name line_amount_types overpayment_id prepayment_id reference status type url',
    'timestamp without time zone':
      '_fivetran_synced batch_payment_date batch_payment_updated_date_utc updated_date_utc',
    date: 'date',
    numeric: 'currency_rate sub_total total total_tax',
    'double precision': 'batch_payment_total_amount',
    boolean: 'batch_payment_is_reconciled has_attachments is_reconciled',
  },
};
