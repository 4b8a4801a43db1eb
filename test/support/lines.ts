/** Log lines as nginx and its containers write them, from what differs between two of them. */

export const DAY_MS = Date.UTC(2026, 10, 21)

/** Unix ms of a time of day on 2026-11-21. */
export function at(time: string): number {
  return Date.parse(`2026-11-21T${time}Z`)
}

export interface AccessLine {
  timeMs: number
  client?: string
  request?: string
  status: number
  bytes?: number
  referrer?: string
  agent?: string
  requestLength?: number
  /** Seconds as printed. */
  time?: string
  name?: string
  alternative?: string
  /** `addresses|lengths|times|statuses` as logged. */
  up?: string
  id?: string
}

/** The default format, `upstreaminfo`. */
export function accessLine(line: AccessLine): string {
  const [addresses = '-', lengths = '-', times = '-', statuses = '-'] = line.up?.split('|') ?? []
  return (
    `${line.client ?? '203.0.113.9'} - - [${timeLocal(line.timeMs)}] "${line.request ?? 'GET /cart HTTP/1.1'}" ${String(line.status).padStart(3, '0')} ` +
    `${line.bytes ?? 150} "${line.referrer ?? '-'}" "${line.agent ?? 'curl/8.7.1'}" ${line.requestLength ?? 120} ${line.time ?? '0.001'} ` +
    `[${line.name ?? 'shop-cart-80'}] [${line.alternative ?? ''}] ${addresses} ${lengths} ${times} ${statuses} ${line.id ?? '0123456789abcdef0123456789abcdef'}`
  )
}

export interface ErrorLine {
  timeMs: number
  level?: string
  pid?: number
  connection?: number | null
  message: string
  /** null: a line without any context. */
  client?: string | null
  server?: string
  request?: string | null
  subrequest?: string
  /** `10.0.0.7:80`; the request's target is put behind it. */
  upstream?: string
  host?: string | null
  referrer?: string
}

export function errorLine(line: ErrorLine): string {
  const { connection = 812, client = '203.0.113.9', request = 'GET /cart HTTP/1.1', host = 'shop.example.com' } = line
  const target = request?.split(' ')[1] ?? '/'
  const context =
    client === null
      ? ''
      : `, client: ${client}, server: ${line.server ?? 'shop.example.com'}` +
        (request === null ? '' : `, request: "${request}"`) +
        (line.subrequest === undefined ? '' : `, subrequest: "${line.subrequest}"`) +
        (line.upstream === undefined ? '' : `, upstream: "http://${line.upstream}${target}"`) +
        (host === null ? '' : `, host: "${host}"`) +
        (line.referrer === undefined ? '' : `, referrer: "${line.referrer}"`)
  const time = new Date(line.timeMs).toISOString().slice(0, 19).replace('T', ' ').replaceAll('-', '/')
  return `${time} [${line.level ?? 'error'}] ${line.pid ?? 31}#${line.pid ?? 31}: ${connection === null ? '' : `*${connection} `}${line.message}${context}`
}

/** As containerd stores it. */
export function cri(stampMs: number, stream: 'stdout' | 'stderr', content: string): string {
  return `${stamp(stampMs)} ${stream} F ${content}`
}

/** As `kubectl logs --timestamps --prefix` prints it. */
export function prefixed(stampMs: number, pod: string, content: string): string {
  return `[pod/${pod}/controller] ${stamp(stampMs)} ${content}`
}

/** With nanoseconds, as runtimes print. */
export function stamp(ms: number): string {
  const whole = Math.floor(ms)
  const nanos = Math.round((ms - whole) * 1e6)
  return `${new Date(whole).toISOString().slice(0, 23)}${String(nanos).padStart(6, '0')}Z`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function timeLocal(ms: number): string {
  const date = new Date(ms)
  const two = (value: number): string => String(value).padStart(2, '0')
  return (
    `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:` +
    `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`
  )
}

export const MESSAGES = {
  refused: 'connect() failed (111: Connection refused) while connecting to upstream',
  connectTimeout: 'upstream timed out (110: Operation timed out) while connecting to upstream',
  readTimeout: 'upstream timed out (110: Operation timed out) while reading response header from upstream',
  prematureClose: 'upstream prematurely closed connection while reading response header from upstream',
  reset: 'recv() failed (104: Connection reset by peer) while reading response header from upstream',
  tooBigHeader: 'upstream sent too big header while reading response header from upstream',
  cutBody: 'upstream prematurely closed connection while reading upstream',
  cutByReset: 'recv() failed (104: Connection reset by peer) while reading upstream',
  clientGone:
    'epoll_wait() reported that client prematurely closed connection, so upstream connection is closed too while sending request to upstream',
  clientGoneHttp2: 'client prematurely closed connection while processing HTTP/2 connection',
  tooLargeBody: 'client intended to send too large body: 10485760 bytes',
  limiting: 'limiting requests, excess: 5.900 by zone "shop_api"',
  buffered: 'a client request body is buffered to a temporary file /tmp/nginx/client-body/0000000012',
  authStatus: 'auth request unexpected status: 502 while sending to client',
  disabled: 'upstream server temporarily disabled while connecting to upstream',
  tlsHandshake:
    'SSL_do_handshake() failed (SSL: error:0A00006C:SSL routines::bad key share error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure) while SSL handshaking',
  worker: '16384 worker_connections are not enough while connecting to upstream'
} as const
