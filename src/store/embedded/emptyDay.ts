/**
 * A Parquet file of failures without a row, as base64: `failures-none.parquet`. With it a query by pattern runs before the
 * first day is sealed, where DuckDB and pandas complain that there is no file. A test makes it anew from the columns.
 */
export const EMPTY_DAY = Buffer.from(
  [
    'UEFSMRUCGfwUNQAYDWR1Y2tkYl9zY2hlbWEVJgAVDCUCGAJpZCUAABUEJQIYB3ZlcnNpb24lJAAVBCUCGAR0aW1lJRRMjBIcLAAAAAAAFQwlAh',
    'gFY2F1c2UlAAAVDCUCGAh1cHN0cmVhbSUAABUMJQIYB3NlcnZpY2UlAAAVAiUCGAZzdGF0dXMlIgAVACUCGAdjb3VudGVkABUAJQIYBm1hc2tl',
    'ZAAVDCUCGAZtZXRob2QlAAAVDCUCGARob3N0JQAAFQwlAhgEcGF0aCUAABUMJQIYBmNsaWVudCUAABUMJQIYB2FkZHJlc3MlAAAVDCUCGANwb2',
    'QlAAAVDCUCGApyb290X2NhdXNlJQAAFQolAhgKY29uZmlkZW5jZQAVACUCGA5oYXNfZXJyb3JfbGluZQAVDCUCGAhkb2N1bWVudCUmTMwAAAAW',
    'ABkMKChEdWNrREIgdmVyc2lvbiB2MS41LjUgKGJ1aWxkIGQ4Y2RhYTMzZmQpGfwTHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAHA',
    'AAHAAAHAAAHAAAHAAAHAAAHAAAHAAAALABAABQQVIx'
  ].join(''),
  'base64'
)

export const EMPTY_DAY_NAME = 'failures-none.parquet'
