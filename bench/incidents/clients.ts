import type { Random } from './random.ts'
import type { Service } from './service.ts'

const BROWSERS: readonly (readonly [number, string])[] = [
  [
    40,
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
  ],
  [
    18,
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36'
  ],
  [
    9,
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0'
  ],
  [
    16,
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1'
  ],
  [9, 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0'],
  [
    7,
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15'
  ]
]

const PROGRAMS: readonly (readonly [number, string])[] = [
  [8, 'okhttp/4.12.0'],
  [6, 'ShopApp/7.31 (iOS 18.6; iPhone16,2)'],
  [4, 'python-requests/2.32.3'],
  [3, 'Go-http-client/1.1'],
  [2, 'axios/1.7.9'],
  [1, '-']
]

export interface Client {
  address: string
  agent: string
  version: 'HTTP/1.1' | 'HTTP/2.0'
  browser: boolean
}

export function makeClients(random: Random, count: number, browser: boolean): Client[] {
  return Array.from({ length: count }, () => {
    const agent = random.weighted(browser ? BROWSERS : PROGRAMS)
    return {
      address: publicAddress(random),
      agent,
      version: browser || agent.startsWith('okhttp') ? 'HTTP/2.0' : 'HTTP/1.1',
      browser
    }
  })
}

/** Documentation ranges only. */
export function publicAddress(random: Random): string {
  if (random.chance(0.06)) return `2001:db8:${random.hex(3).replace(/^0+/, '1')}::${random.hex(3).replace(/^0+/, '1')}`
  return `${random.pick(['192.0.2', '198.51.100', '203.0.113'])}.${random.integer(2, 254)}`
}

export function referrerFor(random: Random, service: Service, client: Client): string {
  if (!client.browser || random.chance(0.25)) return '-'
  if (service.host === 'static.example.com') return 'https://shop.example.com/'
  return `https://${service.host}${random.pick(['/', random.pick(service.routes.filter(route => route.method === 'GET')).path(random)])}`
}
