import { describe, expect, test } from 'vitest'
import { CATEGORIES, CAUSES, type Cause, causeTable, RUNBOOK_PLACEHOLDERS } from '../../parsers/causes.ts'
import { messageRows } from '../../parsers/errorMessages.generated.ts'

test('every cause has one entry, and there are no others', () => {
  expect(Object.keys(causeTable).sort()).toEqual([...CAUSES].sort())
})

test('every cause of the message table is in the list', () => {
  const known: ReadonlySet<string> = new Set([...CAUSES, 'none', 'cancelled'])
  expect(messageRows().filter(([, , , cause]) => !known.has(cause))).toEqual([])
})

describe.each(CAUSES)('%s', (cause: Cause) => {
  const { title, category, blame, meaning, check, fix } = causeTable[cause]
  const texts = [title, meaning, ...check, ...fix]

  test('is complete', () => {
    expect(CATEGORIES).toContain(category)
    expect(['upstream', 'controller', 'client', 'cluster', 'unknown']).toContain(blame)
    expect(texts.filter(text => text.trim() !== text || text.length < 15)).toEqual([])
    expect(meaning.match(/[.:;] |\.$/g)?.length).toBeGreaterThanOrEqual(2)
    expect([check.length >= 2, check.length <= 5, fix.length >= 2, fix.length <= 4]).toEqual([true, true, true, true])
    expect(new Set([...check, ...fix]).size).toBe(check.length + fix.length)
  })

  test('has a title that continues a sentence', () => {
    expect(title).toMatch(/^(?:[a-z]|Lua )/)
    expect(title).not.toMatch(/[.!]$/)
    expect(title.length).toBeLessThanOrEqual(70)
  })

  test('is plain ASCII with known placeholders only', () => {
    for (const text of texts) {
      expect(text).toMatch(/^[\x20-\x7e]+$/)
      for (const [placeholder] of text.matchAll(/<[^<>\s]+>/g)) expect(RUNBOOK_PLACEHOLDERS).toContain(placeholder)
    }
  })
})

test('what the client or a limit decided does not count against an SLO', () => {
  expect(CAUSES.filter(cause => !causeTable[cause].slo)).toEqual([
    'client_tls_failure',
    'client_closed',
    'client_timeout',
    'body_too_large',
    'bad_request',
    'rate_limited',
    'auth_failure',
    'no_route',
    'config_reload'
  ])
})
