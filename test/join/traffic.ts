/** Random requests through one controller, as the lines that nginx would write of them, with the truth of which is whose. */
import fc from 'fast-check'
import { accessLine, cri, DAY_MS, errorLine, MESSAGES as M } from '../support/lines.ts'

export type Kind = keyof typeof KINDS

/** How one attempt ended: message of its error line (null: none), milliseconds, status and bytes in the access line. */
interface Try {
  message: string | null
  level?: string
  ms: number
  status: string
  bytes?: string
}

interface Story {
  tries: Try[]
  status: number
  bytes: number
  /** Further lines at the end of the request. */
  also?: { message: string; level?: string; subrequest?: string; upstream?: string }[]
  name?: string
}

const refused: Try = { message: M.refused, ms: 1, status: '502' }
const timedOut: Try = { message: M.readTimeout, ms: 60_000, status: '504' }
const ok = (ms: number): Try => ({ message: null, ms, status: '200', bytes: '61' })

/** What can happen to a request: the rows of status-semantics.md 4 that leave error lines, and some that leave none. */
const KINDS = {
  success: { tries: [ok(12)], status: 200, bytes: 61 },
  refused: { tries: [refused, refused, refused], status: 502, bytes: 150 },
  saved: { tries: [refused, ok(8)], status: 200, bytes: 61 },
  savedLate: { tries: [timedOut, refused, ok(30)], status: 200, bytes: 61 },
  timedOut: { tries: [refused, timedOut, timedOut], status: 504, bytes: 160 },
  closedEarly: { tries: [{ message: M.prematureClose, ms: 40, status: '502' }], status: 502, bytes: 150 },
  reset: { tries: [{ message: M.reset, ms: 700, status: '502' }], status: 502, bytes: 150 },
  bigHeader: { tries: [{ message: M.tooBigHeader, ms: 5, status: '502' }], status: 502, bytes: 150 },
  application: { tries: [{ message: null, ms: 20, status: '503', bytes: '812' }], status: 503, bytes: 812 },
  clientLeft: {
    tries: [timedOut, { message: M.clientGone, level: 'info', ms: 9_000, status: '-' }],
    status: 499,
    bytes: 0
  },
  cut: { tries: [{ message: M.cutBody, ms: 300, status: '200', bytes: '9000' }], status: 200, bytes: 9_000 },
  tooLarge: { tries: [], status: 413, bytes: 176, also: [{ message: M.tooLargeBody }] },
  limited: { tries: [], status: 503, bytes: 190, also: [{ message: M.limiting }] },
  authBroken: {
    tries: [],
    status: 500,
    bytes: 170,
    also: [
      { message: M.refused, subrequest: '/_external-auth-Lw-Prefix', upstream: '10.0.2.2:4180' },
      { message: M.authStatus }
    ]
  },
  buffered: {
    tries: [{ message: M.prematureClose, ms: 25, status: '502' }],
    status: 502,
    bytes: 150,
    also: [{ message: M.buffered, level: 'warn' }]
  }
} satisfies Record<string, Story>

export interface Request {
  kind: Kind
  /** End of the request, ms of the day. */
  endMs: number
  client: string
  request: string
  connection: number
  firstAddress: number
  /** Of each line in turn, how much later than written it is delivered. */
  delaysMs: number[]
}

const kind = fc.constantFrom(...(Object.keys(KINDS) as Kind[]))

/** `paths` 0: every request has one of its own. */
export function requests(paths: number): fc.Arbitrary<Request[]> {
  const one = fc.record({
    kind,
    endMs: fc.integer({ min: 300_000, max: 420_000 }),
    client: fc.integer({ min: 1, max: 3 }),
    path: fc.integer({ min: 0, max: Math.max(0, paths - 1) }),
    isHttp2: fc.boolean(),
    firstAddress: fc.integer({ min: 0, max: 2 }),
    delaysMs: fc.array(fc.integer({ min: 0, max: 34 }), { minLength: 6, maxLength: 6 })
  })
  return fc.array(one, { minLength: 1, maxLength: 40 }).map(list =>
    list.map(({ path, client, isHttp2, ...rest }, i) => ({
      ...rest,
      client: `203.0.113.${client}`,
      request: `GET /${paths === 0 ? `own/${i}` : path} HTTP/${isHttp2 ? '2.0' : '1.1'}`,
      connection: isHttp2 ? client : 100 + i
    }))
  )
}

export interface LoggedLine {
  text: string
  /** Index of its request. */
  owner: number
  isAccess: boolean
  client: string
  request: string
}

/** All lines in order of arrival. `isLate`: error lines are delivered as late as `delaysMs` says; `isPrecise`: with the stamps of CRI. */
export function logOf(list: Request[], options: { isLate: boolean; isPrecise: boolean }): LoggedLine[] {
  const lines: (LoggedLine & { arrivalMs: number; stream: 'stdout' | 'stderr' })[] = []
  for (const [owner, request] of list.entries()) {
    const story: Story = KINDS[request.kind]
    const totalMs = story.tries.reduce((sum, attempt) => sum + attempt.ms, 0)
    const address = (i: number): string => `10.0.0.${7 + ((request.firstAddress + i) % 3)}:80`
    const { client } = request
    let line = 0
    const write = (timeMs: number, text: string, isAccess: boolean): void => {
      const delayMs = options.isLate && !isAccess ? request.delaysMs[line++]! : 0
      const content = { text, owner, isAccess, client, request: request.request }
      lines.push({ ...content, arrivalMs: timeMs + delayMs, stream: isAccess ? 'stdout' : 'stderr' })
    }
    let ms = DAY_MS + request.endMs - totalMs
    for (const [i, attempt] of story.tries.entries()) {
      ms += attempt.ms
      if (attempt.message === null) continue
      const { message, level = 'error' } = attempt
      const { connection } = request
      write(
        ms,
        errorLine({ timeMs: ms, level, message, client, request: request.request, connection, upstream: address(i) }),
        false
      )
    }
    for (const also of story.also ?? [])
      write(
        ms,
        errorLine({ timeMs: ms, client, request: request.request, connection: request.connection, ...also }),
        false
      )
    const column = (of: (attempt: Try, i: number) => string): string => story.tries.map(of).join(', ') || '-'
    const up = [
      column((_, i) => address(i)),
      column(attempt => attempt.bytes ?? '0'),
      column(attempt => (attempt.ms / 1000).toFixed(3)),
      column(attempt => attempt.status)
    ].join('|')
    const { status, bytes } = story
    const access = { client, request: request.request, status, bytes, up, time: (totalMs / 1000).toFixed(3) }
    write(ms + 0.2, accessLine({ timeMs: ms, ...access, id: requestId(owner) }), true)
  }
  lines.sort((a, b) => a.arrivalMs - b.arrivalMs)
  return lines.map(({ arrivalMs, stream, ...line }) => ({
    ...line,
    text: options.isPrecise ? cri(arrivalMs, stream, line.text) : line.text
  }))
}

export function requestId(owner: number): string {
  return String(owner).padStart(32, '0')
}

/** What nginx wrote because of a request that gets a document; an accompanied success gets none. */
export function needsDocument(request: Request): boolean {
  return request.kind !== 'success'
}
