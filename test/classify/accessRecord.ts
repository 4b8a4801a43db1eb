import type { AccessRecord, UpstreamAttempt } from '../../parsers/record.ts'

/** What differs from an ordinary GET that a pod answered; `up` is `addresses|lengths|times|statuses` as logged. */
export interface Given extends Partial<Omit<AccessRecord, 'attempts'>> {
  /** `- - - -`: '-'; null: a format without upstream fields. */
  up?: string | null
  /** `$upstream_connect_time` and `$upstream_header_time` as logged. */
  connect?: string
  header?: string
}

export function accessRecord({ up = '-', connect, header, ...fields }: Given): AccessRecord {
  return {
    kind: 'access',
    timeMs: 1_700_000_000_000,
    client: '192.0.2.1',
    remoteUser: null,
    request: `${fields.method ?? 'GET'} /cart HTTP/1.1`,
    method: 'GET',
    path: '/cart',
    query: null,
    httpVersion: 'HTTP/1.1',
    host: null,
    status: 200,
    bodyBytes: 0,
    referrer: null,
    userAgent: 'curl/8.7.1',
    requestLength: 300,
    requestTimeMs: 100,
    upstreamName: 'shop-cart-80',
    alternativeUpstreamName: null,
    attempts: up === null ? null : attempts(up, connect, header),
    attemptsUncertain: false,
    hasConnectTime: connect !== undefined,
    requestId: '0123456789abcdef0123456789abcdef',
    connection: null,
    namespace: null,
    ingress: null,
    service: null,
    traceId: null,
    truncated: false,
    ...fields
  }
}

/** The lists as in the log, values missing at the end read as `-`. A group border is ` : `. */
export function attempts(up: string, connect = '', header = ''): UpstreamAttempt[] {
  if (up === '-') return []
  const [addresses = '', lengths = '', times = '', statuses = ''] = up.split('|')
  const groupOf = addresses.split(' : ').flatMap((group, index) => group.split(', ').map(() => index))
  const column = (list: string) => list.split(/, | : /).map(value => (value === '-' || value === '' ? null : value))
  const [length, time, status, connected, headed] = [lengths, times, statuses, connect, header].map(column)
  const seconds = (value: string | null | undefined) => (value ? Math.round(Number(value) * 1000) : null)
  const number = (value: string | null | undefined) => (value ? Number(value) : null)
  return column(addresses).map((address, index) => ({
    address,
    group: groupOf[index]!,
    status: number(status![index]),
    responseTimeMs: seconds(time![index]),
    responseBytes: number(length![index]),
    connectTimeMs: seconds(connected![index]),
    headerTimeMs: seconds(headed![index])
  }))
}
