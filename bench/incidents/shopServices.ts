import { fixed, id, mostly, type Service } from './service.ts'

export const catalog: Service = {
  upstream: 'shop-catalog-http',
  name: 'shop/catalog',
  ingress: 'shop/storefront',
  host: 'shop.example.com',
  perSecond: 0.22,
  browsers: 0.85,
  routes: [
    { weight: 30, method: 'GET', path: fixed('/'), statuses: [[1, 200]], bytes: [18_200, 18_900], ms: 22, spread: 0.4 },
    {
      weight: 40,
      method: 'GET',
      path: r => `/products/${id(r)}`,
      statuses: mostly(200),
      bytes: [7_100, 12_400],
      ms: 31,
      spread: 0.5
    },
    {
      weight: 20,
      method: 'GET',
      path: r =>
        `/category/${r.pick(['coffee', 'tea', 'grinders', 'cups'])}?page=${r.integer(1, 9)}&sort=${r.pick(['price', 'new'])}`,
      statuses: mostly(200),
      bytes: [9_000, 16_000],
      ms: 44,
      spread: 0.5
    },
    { weight: 3, method: 'GET', path: r => `/p/${id(r)}`, statuses: [[1, 301]], bytes: [0, 0], ms: 3, spread: 0.3 },
    { weight: 2, method: 'GET', path: fixed('/favicon.ico'), statuses: [[1, 404]], bytes: [19, 19], ms: 2, spread: 0.2 }
  ]
}

export const cart: Service = {
  upstream: 'shop-cart-80',
  name: 'shop/cart',
  ingress: 'shop/storefront',
  host: 'shop.example.com',
  perSecond: 0.2,
  browsers: 0.7,
  routes: [
    {
      weight: 46,
      method: 'GET',
      path: r => `/cart/${id(r)}`,
      statuses: [
        [60, 200],
        [4, 304]
      ],
      bytes: [640, 4_800],
      ms: 38,
      spread: 0.5
    },
    {
      weight: 30,
      method: 'POST',
      path: r => `/cart/${id(r)}/items`,
      statuses: [[1, 201]],
      bytes: [180, 420],
      ms: 55,
      spread: 0.5,
      requestBody: [60, 300]
    },
    {
      weight: 8,
      method: 'PUT',
      path: r => `/cart/${id(r)}/items/${r.integer(1, 9)}`,
      statuses: [[1, 200]],
      bytes: [180, 420],
      ms: 41,
      spread: 0.4,
      requestBody: [30, 120]
    },
    {
      weight: 5,
      method: 'DELETE',
      path: r => `/cart/${id(r)}/items/${r.integer(1, 9)}`,
      statuses: [[1, 204]],
      bytes: [0, 0],
      ms: 33,
      spread: 0.4
    },
    {
      weight: 4,
      method: 'GET',
      path: r => `/cart/${id(r)}/export.csv`,
      statuses: [[1, 200]],
      bytes: [210_000, 480_000],
      ms: 1_900,
      spread: 0.5,
      streamed: true
    }
  ]
}

export const checkout: Service = {
  upstream: 'shop-checkout-80',
  name: 'shop/checkout',
  ingress: 'shop/storefront',
  host: 'shop.example.com',
  perSecond: 0.13,
  browsers: 0.8,
  routes: [
    {
      weight: 45,
      method: 'GET',
      path: r => `/checkout/${id(r)}`,
      statuses: [[1, 200]],
      bytes: [5_200, 9_900],
      ms: 64,
      spread: 0.5
    },
    {
      weight: 15,
      method: 'GET',
      path: fixed('/checkout/shipping-options?country=DE'),
      statuses: [[1, 200]],
      bytes: [900, 2_100],
      ms: 45,
      spread: 0.4
    },
    {
      weight: 28,
      method: 'POST',
      path: r => `/checkout/${id(r)}/confirm`,
      statuses: [
        [30, 200],
        [4, 302],
        [1, 409]
      ],
      bytes: [240, 800],
      ms: 210,
      spread: 0.6,
      requestBody: [400, 1_600]
    },
    {
      weight: 8,
      method: 'PUT',
      path: r => `/checkout/${id(r)}/address`,
      statuses: [[1, 200]],
      bytes: [120, 300],
      ms: 48,
      spread: 0.4,
      requestBody: [200, 420]
    }
  ]
}

export const search: Service = {
  upstream: 'search-query-http',
  name: 'search/query',
  ingress: 'search/query',
  host: 'shop.example.com',
  perSecond: 0.16,
  browsers: 0.6,
  routes: [
    {
      weight: 60,
      method: 'GET',
      path: r =>
        `/search?q=${r.pick(['espresso', 'filter+coffee', 'v60', 'gift', 'oat+milk', 'caf%C3%A9'])}&page=${r.integer(1, 4)}`,
      statuses: [[1, 200]],
      bytes: [3_000, 11_000],
      ms: 120,
      spread: 0.6
    },
    {
      weight: 30,
      method: 'POST',
      path: fixed('/search/suggest'),
      statuses: [[1, 200]],
      bytes: [200, 1_400],
      ms: 70,
      spread: 0.5,
      requestBody: [20, 90]
    },
    {
      weight: 6,
      method: 'GET',
      path: r => `/search/facets?category=${r.pick(['coffee', 'tea'])}`,
      statuses: [[1, 200]],
      bytes: [900, 1_900],
      ms: 60,
      spread: 0.4
    }
  ]
}
