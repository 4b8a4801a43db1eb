import { expect, test } from 'vitest'
import { openAlerting } from '../../src/alert/alerting.ts'
import { MINUTE_MS } from '../../src/alert/finding.ts'

/** Two hours without a failure, then three minutes in which retries saved so many of thirty. */
function afterSpike(masked: number | undefined) {
  const alerting = openAlerting({ profile: 'normal', idOf: () => 'inc' })
  const toMs = 123 * MINUTE_MS
  for (let ms = 0; ms < toMs; ms += MINUTE_MS) {
    alerting.addRequests('shop-cart-80', ms, 100)
    if (ms >= 120 * MINUTE_MS) alerting.addFailures('shop-cart-80', 'connection_refused', ms, 30, masked)
    alerting.advance(ms + MINUTE_MS)
  }
  return alerting.groups[0]!.head
}

test.each([
  ['all of them', 30, { severity: 'ticket', masked: 90 }],
  ['most of them', 29, { severity: 'ticket', masked: 87 }],
  ['some of them', 20, { severity: 'page', masked: 60 }],
  ['nobody knows how many', undefined, { severity: 'page', masked: 0 }]
])('counts of the past tell what retries saved: %s', (_name, masked, want) => {
  expect(afterSpike(masked)).toMatchObject({ failures: 90, ...want })
})
