import { errorTime, seconds, timeLocal } from './times.ts'

export type TruthKind = 'access' | 'error' | 'controller' | 'streamAccess' | 'continuation'

export interface Line {
  /** When the runtime received it, ms with a fraction. */
  at: number
  pod: string
  stream: 'stdout' | 'stderr'
  kind: TruthKind
  text: string
}

export interface Attempt {
  address: string
  /** null prints `-`: the client left first. */
  status: number | null
  ms: number
  bytes: number
}

export interface AccessFields {
  client: string
  endMs: number
  request: string
  status: number
  bodyBytes: number
  referrer: string
  agent: string
  requestLength: number
  requestMs: number
  upstream: string
  attempts: readonly Attempt[]
  requestId: string
}

/** The default format, `upstreaminfo`. */
export function accessLine(fields: AccessFields): string {
  const { attempts } = fields
  const list = (show: (attempt: Attempt) => string): string =>
    attempts.length === 0 ? '-' : attempts.map(show).join(', ')
  return [
    `${fields.client} - - [${timeLocal(fields.endMs)}]`,
    `"${fields.request}" ${fields.status} ${fields.bodyBytes} "${fields.referrer}" "${fields.agent}"`,
    `${fields.requestLength} ${seconds(fields.requestMs)} [${fields.upstream}] []`,
    list(attempt => attempt.address),
    list(attempt => String(attempt.bytes)),
    list(attempt => seconds(attempt.ms)),
    list(attempt => (attempt.status === null ? '-' : String(attempt.status))),
    fields.requestId
  ].join(' ')
}

export interface ErrorFields {
  ms: number
  level: 'error' | 'warn'
  pid: number
  connection: number
  message: string
  client: string
  server: string
  request: string
  upstream: string | null
  host: string
  referrer: string
}

export function errorLine(fields: ErrorFields): string {
  const upstream = fields.upstream === null ? '' : `, upstream: "${fields.upstream}"`
  const referrer = fields.referrer === '-' ? '' : `, referrer: "${fields.referrer}"`
  return (
    `${errorTime(fields.ms)} [${fields.level}] ${fields.pid}#${fields.pid}: *${fields.connection} ${fields.message}` +
    `, client: ${fields.client}, server: ${fields.server}, request: "${fields.request}"${upstream}, host: "${fields.host}"${referrer}`
  )
}

/** nginx's own pages with `server_tokens off`. */
const PAGE_BYTES: Readonly<Record<number, number>> = {
  308: 164,
  400: 150,
  404: 146,
  413: 176,
  502: 150,
  503: 190,
  504: 160
}

/** Error pages carry 402 bytes of padding for MSIE and for anything that says `Chrome/`. */
export function pageBytes(status: number, agent: string, method: string): number {
  if (method === 'HEAD') return 0
  return PAGE_BYTES[status]! + (status >= 400 && /MSIE|Chrome\//.test(agent) ? 402 : 0)
}
