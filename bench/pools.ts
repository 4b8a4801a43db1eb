import type { Random } from './random.ts'

/** What a client sent: `raw` bytes (one char a byte) as an error line copies them, `logged` as the access line escapes them. */
export type Text = { raw: string; logged: string }

export type Upstream = { name: string; canaryName: string; host: string; pods: string[]; paths: string[] }

export type Pools = {
  upstreams: Upstream[]
  /** 4096 indexes into `upstreams`, Zipf weighted: twelve random bits pick one without a search. */
  zipf: Uint8Array
  clients: string[]
  agents: Text[]
  referers: Text[]
  suffixes: Text[]
  /** Base64-like text from which long queries are cut. */
  noise: string
}

const SERVICES =
  'shop-cart-80 shop-catalog-8080 shop-checkout-http shop-search-80 shop-images-80 media-thumbs-8080 api-gateway-80 auth-keycloak-http billing-invoices-8080 billing-ledger-http-api crm-contacts-80 crm-mail-sync-8081 data-export-80 data-events-collector-http docs-wiki-3000 edge-static-80 edge-assets-cdn-80 geo-tiles-8080 geo-route-planner-80 hr-portal-443 identity-session-80 identity-tokens-8443 infra-grafana-3000 infra-registry-5000 inventory-stock-8080 inventory-pricing-http live-chat-8080 live-presence-ws logistics-tracking-80 logistics-labels-8080 marketing-site-80 marketing-forms-8080 mobile-bff-http mobile-push-80 orders-core-8080 orders-history-80 partners-feed-80 payments-psp-adapter-8443 payments-risk-80 recommend-model-9000 reporting-pdf-8080 reviews-moderation-80 search-suggest-http-metrics staging-shop-cart-80 support-tickets-8080 users-avatars-80 users-profile-http video-transcode-8080'.split(
    ' '
  )

const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36 Edg/125.0.2535.92',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.71 Mobile Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
  'okhttp/4.12.0',
  'Go-http-client/2.0',
  'python-requests/2.32.3',
  'ShopApp/8.14.2 (iOS 17.5; iPhone15,2) Alamofire/5.9.1',
  'Apache-HttpClient/4.5.14 (Java/17.0.11)'
]
const RARE_AGENTS = ['curl/8.7.1', 'kube-probe/1.29', 'Caf\xc3\xa9Bot/1.0 "beta" \\ test', '-', '', 'a'.repeat(400)]
const SEGMENTS = 'api v1 v2 items cart users orders products search assets static img checkout sessions prices'.split(
  ' '
)
const SUFFIXES = [
  '?q=%C3%A9t%C3%A9&page=2',
  '?sort=price&dir=asc&limit=50&offset=100',
  '?utm_source=newsletter&utm_medium=email&utm_campaign=spring-2026',
  '?_=1773309600123',
  '/reviews?lang=de-DE&currency=EUR',
  '/thumb_640x480.webp?v=8f2c1d'
]
const HOSTILE_SUFFIXES = [
  '?q="quoted"',
  '?path=C:\\temp\\x',
  '/caf\xc3\xa9',
  '?a=",host:"x',
  '?u=\xff\xfe',
  '?s=[x]-[y]-502'
]

/** nginx's default escaping: quote, backslash and everything outside printable ASCII as upper-case \xHH. */
export function escapeText(raw: string): Text {
  const logged = raw.replace(
    /["\\]|[^\x20-\x7e]/g,
    char => `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  )
  return { raw, logged }
}

export function buildPools(random: Random): Pools {
  const upstreams = SERVICES.map((name, rank) => buildUpstream(random, name, rank))
  const clients = Array.from({ length: 30_000 }, () => (random.share() < 0.04 ? ipv6(random, '2a02:8') : ipv4(random)))
  const referers = upstreams
    .slice(0, 30)
    .flatMap(({ host, paths }) => [
      escapeText(`https://${host}/`),
      escapeText(`https://${host}${random.pick(paths)}${random.below(90_000)}`),
      escapeText(`https://${host}${random.pick(paths)}?page=${random.below(40)}&filter=colour%3Ablue&sort=relevance`)
    ])
  referers.push(
    escapeText('https://example.org/?q="caf\xc3\xa9"'),
    escapeText('android-app://com.example.shop/'),
    escapeText('')
  )
  return {
    upstreams,
    zipf: buildZipf(upstreams.length),
    clients,
    // Common agents several times over: browsers make most of the traffic, hostile and empty ones little.
    agents: [...Array(20).fill(AGENTS).flat(), ...RARE_AGENTS].map(escapeText),
    referers,
    suffixes: [...Array(12).fill(SUFFIXES).flat(), ...HOSTILE_SUFFIXES].map(escapeText),
    noise: Array.from({ length: 512 }, () => `${random.uint32().toString(36)}%2F`).join('')
  }
}

function buildUpstream(random: Random, name: string, rank: number): Upstream {
  const podCount = 1 + random.below(rank < 10 ? 12 : 4)
  const isIpv6 = rank % 11 === 7 // A dual-stack cluster's few IPv6 services: some 4 % of the requests.
  const port = random.pick([80, 3000, 8080, 8443, 9000])
  const pods = Array.from({ length: podCount }, () =>
    isIpv6 ? `[${ipv6(random, 'fd00:10')}]:${port}` : `10.244.${random.below(32)}.${2 + random.below(250)}:${port}`
  )
  const paths = Array.from(
    { length: 24 },
    () => `/${Array.from({ length: 2 + random.below(3) }, () => random.pick(SEGMENTS)).join('/')}/`
  )
  const canaryName = rank % 6 === 1 ? name.replace(/-[^-]+$/, '-canary$&') : ''
  return { name, canaryName, host: `${name.replace(/-[^-]+$/, '')}.example.com`, pods, paths }
}

function buildZipf(count: number): Uint8Array {
  const weights = Array.from({ length: count }, (_, rank) => 1 / (rank + 1))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const table = new Uint8Array(4096)
  let sum = 0
  let slot = 0
  weights.forEach((weight, rank) => {
    sum += weight
    while (slot < Math.round((sum / total) * 4096)) table[slot++] = rank
  })
  return table
}

function ipv4(random: Random): string {
  return `${1 + random.below(222)}.${random.below(256)}.${random.below(256)}.${1 + random.below(254)}`
}

function ipv6(random: Random, prefix: string): string {
  return `${prefix}${random.below(0x10)}:${random.below(0x10000).toString(16)}::${(1 + random.below(0xfffe)).toString(16)}`
}
