import { fixed, id, type Service, slug } from './service.ts'
import { cart, catalog, checkout, search } from './shopServices.ts'

const blog: Service = {
  upstream: 'blog-web-80',
  name: 'blog/web',
  ingress: 'blog/web',
  host: 'blog.example.com',
  perSecond: 0.16,
  browsers: 0.75,
  routes: [
    { weight: 30, method: 'GET', path: fixed('/'), statuses: [[1, 200]], bytes: [14_800, 15_300], ms: 48, spread: 0.4 },
    {
      weight: 45,
      method: 'GET',
      path: r => `/posts/${slug(r)}`,
      statuses: [
        [20, 200],
        [3, 304],
        [1, 404]
      ],
      bytes: [8_000, 26_000],
      ms: 61,
      spread: 0.5
    },
    {
      weight: 9,
      method: 'GET',
      path: fixed('/feed.xml'),
      statuses: [
        [1, 200],
        [1, 304]
      ],
      bytes: [31_044, 31_044],
      ms: 17,
      spread: 0.3
    },
    { weight: 6, method: 'HEAD', path: fixed('/'), statuses: [[1, 200]], bytes: [0, 0], ms: 20, spread: 0.3 },
    {
      weight: 6,
      method: 'POST',
      path: r => `/posts/${slug(r)}/comments`,
      statuses: [
        [9, 201],
        [1, 422]
      ],
      bytes: [90, 400],
      ms: 95,
      spread: 0.5,
      requestBody: [120, 900]
    },
    {
      weight: 4,
      method: 'GET',
      path: r => `/wp-content/uploads/${r.integer(2021, 2026)}/${id(r)}.jpg`,
      statuses: [[1, 404]],
      bytes: [1_245, 1_245],
      ms: 9,
      spread: 0.3
    }
  ]
}

const pay: Service = {
  upstream: 'pay-api-80',
  name: 'pay/api',
  ingress: 'pay/api',
  host: 'pay.example.com',
  perSecond: 0.16,
  browsers: 0.15,
  routes: [
    {
      weight: 40,
      method: 'POST',
      path: fixed('/v1/payments'),
      statuses: [
        [60, 201],
        [4, 402],
        [2, 422]
      ],
      bytes: [310, 720],
      ms: 140,
      spread: 0.5,
      requestBody: [350, 900]
    },
    {
      weight: 40,
      method: 'GET',
      path: r => `/v1/payments/pay_${r.hex(16)}`,
      statuses: [
        [40, 200],
        [1, 404]
      ],
      bytes: [420, 900],
      ms: 18,
      spread: 0.4
    },
    {
      weight: 10,
      method: 'GET',
      path: r => `/v1/methods?merchant=${id(r)}&token=${r.hex(20)}`,
      statuses: [
        [30, 200],
        [1, 401]
      ],
      bytes: [700, 1_900],
      ms: 14,
      spread: 0.4
    },
    {
      weight: 6,
      method: 'GET',
      path: fixed('/v1/rates?base=EUR'),
      statuses: [
        [60, 200],
        [1, 503]
      ],
      bytes: [61, 61],
      ms: 12,
      spread: 0.4
    }
  ]
}

const images: Service = {
  upstream: 'media-img-80',
  name: 'media/img',
  ingress: 'media/img',
  host: 'static.example.com',
  perSecond: 0.2,
  browsers: 0.95,
  routes: [
    {
      weight: 70,
      method: 'GET',
      path: r => `/img/${r.hex(8)}_${r.pick(['320', '640', '1280'])}.webp`,
      statuses: [
        [20, 200],
        [17, 304],
        [1, 404]
      ],
      bytes: [6_000, 190_000],
      ms: 4,
      spread: 0.6
    },
    {
      weight: 20,
      method: 'GET',
      path: r => `/assets/app.${r.pick(['4f1c22', '91be07'])}.${r.pick(['js', 'css'])}`,
      statuses: [
        [1, 200],
        [2, 304]
      ],
      bytes: [84_221, 84_221],
      ms: 2,
      spread: 0.4
    },
    {
      weight: 3,
      method: 'POST',
      path: fixed('/upload'),
      statuses: [[1, 201]],
      bytes: [96, 140],
      ms: 240,
      spread: 0.4,
      requestBody: [24_000, 940_000]
    }
  ]
}

const portal: Service = {
  upstream: 'account-portal-3000',
  name: 'account/portal',
  ingress: 'account/portal',
  host: 'account.example.com',
  perSecond: 0.17,
  browsers: 0.8,
  routes: [
    {
      weight: 30,
      method: 'GET',
      path: fixed('/me'),
      statuses: [
        [20, 200],
        [5, 304],
        [2, 401]
      ],
      bytes: [1_100, 2_600],
      ms: 16,
      spread: 0.4
    },
    {
      weight: 22,
      method: 'GET',
      path: r => `/orders?page=${r.integer(1, 5)}`,
      statuses: [[1, 200]],
      bytes: [2_000, 9_000],
      ms: 40,
      spread: 0.5
    },
    {
      weight: 20,
      method: 'POST',
      path: fixed('/session/refresh'),
      statuses: [[1, 200]],
      bytes: [320, 380],
      ms: 11,
      spread: 0.4,
      requestBody: [80, 140]
    },
    {
      weight: 8,
      method: 'GET',
      path: r => `/sso/callback?code=${r.hex(24)}&state=${r.hex(12)}`,
      statuses: [[1, 302]],
      bytes: [0, 0],
      ms: 65,
      spread: 0.4
    },
    {
      weight: 4,
      method: 'POST',
      path: fixed('/profile'),
      statuses: [[1, 204]],
      bytes: [0, 0],
      ms: 30,
      spread: 0.4,
      requestBody: [300, 900]
    }
  ]
}

export const SERVICES: readonly Service[] = [catalog, cart, checkout, blog, pay, search, images, portal]

/** Pods per service in quiet times. */
export const REPLICAS: Readonly<Record<string, number>> = {
  'shop/catalog': 3,
  'shop/cart': 4,
  'shop/checkout': 6,
  'blog/web': 2,
  'pay/api': 3,
  'search/query': 3,
  'media/img': 2,
  'account/portal': 2
}

/** Port the containers of a service listen on. */
export const PORTS: Readonly<Record<string, number>> = {
  'media/img': 8000,
  'account/portal': 3000,
  'search/query': 9200
}
