/** Filters that leave no request: why, and what may have been meant. */
import { afterAll, expect, test } from 'vitest'
import { accessLine, at } from '../support/lines.ts'
import { Folder, why5xxHere } from '../support/program.ts'

const folder = new Folder()
afterAll(() => folder.remove())

const NAMES = ['shop-cart-80', 'shop-cart-8080', 'pay-api-80', 'shop-cart-80', 'shop-cart-canary-80']
const LOG = folder.write(
  'controller.log',
  `${NAMES.map((name, i) => accessLine({ timeMs: at(`10:0${i}:00`), status: 502, up: '10.0.0.7:80|0|0.001|502', name })).join('\n')}\n`
)

test.each<[string, string[], string[]]>([
  [
    'the window',
    ['--from', '2026-11-22T00:00:00Z'],
    ['No request is in the window: 5 requests lie outside of it (from 2026-11-22 00:00:00 UTC).']
  ],
  [
    'a service that is nearly there',
    ['--service', 'shop/car'],
    [
      'No request is of shop/car: 5 requests (2026-11-21 10:00:00 - 10:04:00 UTC) belong to other services.',
      'Did you mean shop-cart-8080?'
    ]
  ],
  [
    'a service that is not',
    ['--service', 'billing-invoices-http'],
    ['Upstream names in the input: shop-cart-80, shop-cart-8080, pay-api-80, shop-cart-canary-80']
  ]
])('%s', async (_name, args, expected) => {
  for (const format of ['text', 'markdown']) {
    const { stdout, code } = await why5xxHere(['explain', LOG, '--format', format, ...args])
    for (const text of expected)
      expect(stdout.replaceAll('\\', '').replaceAll('`', '').replace(/\s+/g, ' ')).toContain(text)
    expect(stdout).not.toContain('No access line was found')
    expect(code).toBe(0)
  }
})
