/** Representative failures as log lines, and their documents. */
import { MASK_ALL, Masker, type MaskOptions } from '../../src/mask.ts'
import { buildDocument, type DocumentOptions, type StoredDocument } from '../../src/store/document.ts'
import { runEngine } from '../support/engineRun.ts'
import { accessLine, at, cri, errorLine, MESSAGES as M, prefixed } from '../support/lines.ts'

export const T = at('10:02:11')
export const POD = 'ingress-nginx-controller-6c9f8d4b7-q4wnd'

export function options(masking: MaskOptions = MASK_ALL, file = 'fingerprint-of-the-file'): DocumentOptions {
  return { clusterName: 'prod', sourceOf: () => file, masker: new Masker(masking), runbookUrl: null }
}

export const EXAMPLES: Record<string, string[]> = {
  'refused-three-times': [
    ...['10.2.3.14', '10.2.3.15', '10.2.3.16'].map((ip, i) =>
      prefixed(
        T + i,
        POD,
        errorLine({ timeMs: T, message: M.refused, upstream: `${ip}:8080`, request: 'GET /cart/7?token=t0p HTTP/2.0' })
      )
    ),
    prefixed(
      T + 3.25,
      POD,
      accessLine({
        timeMs: T,
        status: 502,
        request: 'GET /cart/7?token=t0p HTTP/2.0',
        referrer: 'https://shop.example.com/cart?session=s3',
        agent: 'Mozilla/5.0',
        time: '0.003',
        up: '10.2.3.14:8080, 10.2.3.15:8080, 10.2.3.16:8080|0, 0, 0|0.001, 0.001, 0.001|502, 502, 502'
      })
    )
  ],
  'saved-by-a-retry': [
    cri(
      T,
      'stderr',
      errorLine({
        timeMs: T,
        message: M.prematureClose,
        upstream: '[2001:db8::7]:8080',
        client: '2001:db8:1:2::9',
        host: 'shop.example.com:8443'
      })
    ),
    cri(
      T + 9,
      'stdout',
      accessLine({
        timeMs: T,
        status: 200,
        bytes: 61,
        time: '0.010',
        client: '2001:db8:1:2::9',
        up: '[2001:db8::7]:8080, [2001:db8::8]:8080|0, 61|0.001, 0.009|502, 200'
      })
    )
  ],
  'read-timeout-without-error-line': [
    accessLine({
      timeMs: T,
      status: 504,
      bytes: 160,
      time: '180.003',
      up: '10.2.3.14:8080, 10.2.3.15:8080, 10.2.3.16:8080|0, 0, 0|60.001, 60.001, 60.001|504, 504, 504'
    })
  ],
  'application-answered-500': [
    JSON.stringify({
      time: '2026-11-21T10:02:11+00:00',
      remote_addr: '203.0.113.9',
      host: 'shop.example.com',
      request_method: 'POST',
      uri: '/checkout',
      args: 'card=4111',
      status: '500',
      body_bytes_sent: '812',
      request_time: '0.250',
      request_length: '900',
      upstream_addr: '10.2.3.14:8080',
      upstream_status: '500',
      upstream_response_time: '0.249',
      upstream_response_length: '812',
      upstream_connect_time: '0.001',
      upstream_header_time: '0.240',
      proxy_upstream_name: 'shop-checkout-80',
      namespace: 'shop',
      ingress_name: 'shop',
      service_name: 'checkout',
      req_id: 'fedcba9876543210fedcba9876543210',
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736'
    })
  ],
  'external-auth-broken': [
    cri(
      T,
      'stderr',
      errorLine({ timeMs: T, message: M.refused, upstream: '10.0.2.2:4180', subrequest: '/_external-auth-Lw-Prefix' })
    ),
    cri(T + 1, 'stderr', errorLine({ timeMs: T, message: M.authStatus })),
    cri(T + 2, 'stdout', accessLine({ timeMs: T, status: 500, bytes: 170 }))
  ],
  'custom-error-page': [
    errorLine({ timeMs: T, message: M.refused, upstream: '10.2.3.14:8080' }),
    accessLine({
      timeMs: T,
      status: 404,
      bytes: 146,
      name: 'upstream-default-backend',
      time: '0.003',
      up: '10.2.3.14:8080 : 10.0.1.5:8080|0 : 146|0.001 : 0.002|502 : 404'
    })
  ],
  'answer-cut': [
    cri(T, 'stderr', errorLine({ timeMs: T, message: M.cutByReset, upstream: '10.2.3.14:8080' })),
    cri(
      T + 0.3,
      'stdout',
      accessLine({ timeMs: T, status: 200, bytes: 9_000, time: '0.300', up: '10.2.3.14:8080|9000|0.300|200' })
    )
  ],
  'client-tls-handshake': [
    cri(
      T,
      'stderr',
      errorLine({ timeMs: T, level: 'crit', message: M.tlsHandshake, request: null, host: null, server: '0.0.0.0:443' })
    )
  ],
  'controller-said-no-endpoints': [
    cri(
      T - 1_000,
      'stderr',
      'W1121 10:02:10.000000       7 controller.go:1112] Service "shop/cart" does not have any active Endpoint.'
    ),
    cri(T, 'stdout', accessLine({ timeMs: T, status: 503, bytes: 190 }))
  ],
  'client-left-while-waiting': [
    accessLine({
      timeMs: T,
      status: 499,
      bytes: 0,
      time: '30.000',
      up: '10.2.3.14:8080|0|30.000|-',
      alternative: 'shop-cart-canary-80'
    })
  ]
}

export function documentsOf(lines: string[], given = options()): StoredDocument[] {
  return runEngine(lines).failures.map(failure => buildDocument(failure, given))
}
