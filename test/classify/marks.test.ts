/** Lines that mark what happened and are no failure print no cause; the same text at a worse level does (design §5). */
import { expect, test } from 'vitest'
import { parseOne } from '../support/parseOne.ts'

const NGINX = '2026/11/21 10:00:00'
const CLIENT =
  ', client: 203.0.113.9, server: shop.example.com, request: "GET /cart HTTP/1.1", host: "shop.example.com"'

test.each<[string, string, string | null]>([
  ['a reload', `${NGINX} [notice] 31#31: signal 1 (SIGHUP) received from 7, reconfiguring`, null],
  ['a worker that leaves', `${NGINX} [notice] 31#31: gracefully shutting down`, null],
  ['a worker that was killed', `${NGINX} [alert] 31#31: worker process 44 exited on signal 9`, 'controller_overload'],
  [
    'connections reused',
    `${NGINX} [warn] 31#31: 16384 worker_connections are not enough, reusing connections`,
    'controller_overload'
  ],
  ['no connection left', `${NGINX} [alert] 31#31: 16384 worker_connections are not enough`, 'controller_overload'],
  [
    'a balancer without a peer',
    `${NGINX} [error] 31#31: *8 [lua] balancer.lua:348: balance(): no peer was returned, balancer: round_robin while connecting to upstream${CLIENT}`,
    'no_endpoints'
  ],
  ['the client left', `${NGINX} [info] 31#31: *8 client prematurely closed connection${CLIENT}`, 'client_closed'],
  [
    'a client that was too slow',
    `${NGINX} [info] 31#31: *8 client timed out (110: Operation timed out) while reading client request headers${CLIENT}`,
    'client_timeout'
  ],
  [
    'a body on disk',
    `${NGINX} [warn] 31#31: *8 a client request body is buffered to a temporary file /tmp/x${CLIENT}`,
    null
  ],
  ['a cancelled upstream attempt', `${NGINX} [notice] 31#31: *8 [lua] monitor.lua:1: call(): done${CLIENT}`, null],
  [
    'a controller that reloads',
    'I1121 10:00:00.000000       7 controller.go:210] "Backend successfully reloaded"',
    null
  ],
  [
    'a service without endpoints',
    'W1121 10:00:00.000000       7 controller.go:1112] Service "shop/cart" does not have any active Endpoint.',
    'no_endpoints'
  ],
  [
    'a reload that failed',
    'E1121 10:00:00.000000       7 controller.go:199] Unexpected failure reloading the backend:',
    'controller_config'
  ],
  [
    'a controller that starts',
    'I1121 10:00:00.000000       7 main.go:205] "Creating API client" host="https://10.96.0.1:443"',
    null
  ]
])('%s', (_name, line, cause) => {
  const { kind, cause: printed, reject, confidence } = parseOne(line)
  expect({ kind, printed, reject }).toEqual({
    kind: line.startsWith(NGINX) ? 'error' : 'controller',
    printed: cause,
    reject: null
  })
  expect(confidence === null).toBe(cause === null)
})
