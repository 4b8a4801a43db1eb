import { expect, test } from 'vitest'
import { parseRequest } from '../../parsers/request.ts'

type Want = [
  method: string | null,
  path: string | null,
  query: string | null,
  host: string | null,
  version: string | null
]
const nothing: Want = [null, null, null, null, null]

// biome-ignore format: a table, one case a line.
test.each<[string | null, Want]>([
  ['GET /cart HTTP/1.1', ['GET', '/cart', null, null, '1.1']],
  ['GET /cart?a=1&b=2 HTTP/2.0', ['GET', '/cart', 'a=1&b=2', null, '2.0']],
  ['GET /cart? HTTP/1.1', ['GET', '/cart', '', null, '1.1']],
  ['GET /a?b?c HTTP/1.1', ['GET', '/a', 'b?c', null, '1.1']],
  ['GET /ok/x', ['GET', '/ok/x', null, null, null]],
  ['GET / ', ['GET', '/', null, null, null]],
  ['GET /ok/a b HTTP/1.1', ['GET', '/ok/a b', null, null, '1.1']],
  ['GET / HTTP/3.0', ['GET', '/', null, null, '3.0']],
  ['GET / HTTP/2', ['GET', '/', null, null, '2']],
  ['M-SEARCH * HTTP/1.1', ['M-SEARCH', '*', null, null, '1.1']],
  ['CONNECT shop.example.com:443 HTTP/1.1', ['CONNECT', 'shop.example.com:443', null, null, '1.1']],
  ['DESCRIBE rtsp://cam.example.com/1 RTSP/1.0', ['DESCRIBE', '/1', null, 'cam.example.com', null]],
  ['GET http://shop.example.com/cart?x=1 HTTP/1.1', ['GET', '/cart', 'x=1', 'shop.example.com', '1.1']],
  ['GET https://shop.example.com HTTP/1.1', ['GET', '/', null, 'shop.example.com', '1.1']],
  ['GET https://shop.example.com?x HTTP/1.1', ['GET', '/', 'x', 'shop.example.com', '1.1']],
  ['GET /x?u=http://a/b HTTP/1.1', ['GET', '/x', 'u=http://a/b', null, '1.1']],
  ['GET /caf\\xC3\\xA9 HTTP/1.1', ['GET', '/caf\\xC3\\xA9', null, null, '1.1']],
  ['- /cart HTTP/1.1', [null, '/cart', null, null, '1.1']],
  ['\\x16\\x03\\x01\\x00 \\xA5', nothing],
  ['GET', nothing],
  [' GET /', nothing],
  ['-', nothing],
  ['', nothing],
  [null, nothing]
])('%j', (request, [method, path, query, targetHost, httpVersion]) => {
  expect(parseRequest(request)).toEqual({ method, path, query, targetHost, httpVersion })
})
