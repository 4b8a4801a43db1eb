/**
 * A past that never was: what nginx.conf would have logged, had the demo run before. An incident is a rise above what was ordinary
 * for 75 minutes, and nobody shall wait for these. The lines are copied from what nginx logs of the same faults, with other times,
 * numbers and addresses.
 */
import { FAULTS, pathOf } from './traffic.mjs'

const CLIENT = '10.42.55.128'
const HOST = 'nginx'
const READING = 'while reading response header from upstream'
const CONNECTING = 'while connecting to upstream'
const ORDINARY = { service: 'web', status: 200, bytes: 16, upstream: '10.42.55.11:8080', received: 16, header: '0.001' }
/** By path. `ms`: how long the request takes; `connect`, `header`: what $upstream_connect_time and $upstream_header_time say. */
const FAILURES = new Map([
  ['/web/broken', { ...ORDINARY, status: 500, bytes: 34, received: 34 }],
  [
    '/cart',
    failure('cart', '10.42.55.12:8080', `connect() failed (111: Connection refused) ${CONNECTING}`, { connect: '-' })
  ],
  [
    '/search',
    failure('search', '10.42.55.13:8080', `upstream timed out (110: Connection timed out) ${READING}`, {
      status: 504,
      bytes: 160,
      ms: 2_000
    })
  ],
  ['/catalog', failure('catalog', '10.42.55.14:8080', `upstream prematurely closed connection ${READING}`)],
  ['/pay', failure('pay', '10.42.55.15:8080', `recv() failed (104: Connection reset by peer) ${READING}`)],
  ['/stock', failure('stock', 'shop-stock-80', `no live upstreams ${CONNECTING}`, { connect: '-' })],
  ['/reviews', { service: 'reviews', status: 503, bytes: 190, upstream: null, error: null }]
])
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function failure(service, upstream, error, more = {}) {
  return { service, status: 502, bytes: 150, upstream, received: 0, header: '-', error, ...more }
}

/** Lines of the `minutes` before `untilMs` in the order of their time: {timeMs, stream, line}. */
export function pastLines(untilMs, minutes, perSecond) {
  const count = minutes * 60 * perSecond
  const lines = []
  for (let number = 0; number < count; number++) {
    const path = pathOf(number)
    const fault = FAULTS.find(fault => path.startsWith(`${fault}/`))
    const answer = fault === undefined ? ORDINARY : FAILURES.get(fault)
    const timeMs = Math.floor(untilMs - ((count - number) * 1_000) / perSecond) + (answer.ms ?? 1)
    // Ended after now: nginx would not have logged it yet.
    if (timeMs > untilMs) continue
    if (answer.error) lines.push({ timeMs, stream: 'stderr', line: errorLine(number, path, answer, new Date(timeMs)) })
    lines.push({ timeMs, stream: 'stdout', line: accessLine(number, path, answer, new Date(timeMs)) })
  }
  return lines.sort((a, b) => a.timeMs - b.timeMs)
}

function accessLine(
  number,
  path,
  { service, status, bytes, upstream, received, connect = '0.000', header, ms = 1 },
  date
) {
  const [day, month, time] = [two(date.getUTCDate()), MONTHS[date.getUTCMonth()], date.toISOString().slice(11, 19)]
  const seconds = (ms / 1_000).toFixed(3)
  const told = upstream === null ? '- - - -' : `${upstream} ${received} ${seconds} ${status}`
  const times = upstream === null ? '- -' : `${connect} ${header}`
  const id = number.toString(16).padStart(32, '0')
  return `${CLIENT} - - [${day}/${month}/${date.getUTCFullYear()}:${time} +0000] "GET ${path} HTTP/1.1" ${status} ${bytes} "-" "node" 175 ${seconds} [shop-${service}-80] [] ${told} ${id} ${number + 1} shop shop ${service} ${times} "${HOST}"`
}

function errorLine(number, path, { upstream, error }, date) {
  const stamp = date.toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')
  return `${stamp} [error] 30#30: *${number + 1} ${error}, client: ${CLIENT}, server: _, request: "GET ${path} HTTP/1.1", upstream: "http://${upstream}${path}", host: "${HOST}:8080"`
}

function two(number) {
  return String(number).padStart(2, '0')
}
