/** One POST of JSON, and what its answer means to somebody who wants to be heard. */

import { clip, safeText } from '../../text.ts'
import { VERSION } from '../../version.ts'
import type { Delivery } from './receiver.ts'

const ANSWER_BYTES_MAX = 4_096
const ANSWER_SHOWN = 200
/** Whoever says "later" for longer is asked again all the same. */
const RETRY_AFTER_MAX_MS = 3_600_000
/** Until a wrong login or a wrong address is tried again: somebody may have mended it over there. */
const MENDING_MS = 60_000

/** How long an answer may take. */
export const ANSWER_MS = 10_000

export interface Posting {
  url: URL
  headers: Readonly<Record<string, string>>
  body: string
  signal: AbortSignal
  /** Taken out of whatever the other side says. */
  secrets: readonly string[]
  answerMs: number
}

/**
 * Never throws, and no sentence holds a secret. Redirects are not followed: the login and the signature are for this address
 * alone, and a page at another one took nothing.
 */
export async function post({ url, headers, body, signal, secrets, answerMs }: Posting): Promise<Delivery> {
  const limit = new AbortController()
  const stop = (): void => limit.abort()
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    stop()
  }, answerMs)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': `why5xx/${VERSION}`, ...headers },
      body,
      redirect: 'manual',
      signal: limit.signal
    })
    if (response.ok) {
      await response.body?.cancel()
      return { kind: 'taken', status: response.status }
    }
    const said = withoutSecrets(await beginningOf(response), secrets)
    return refusalOf(response, said, Date.now())
  } catch (error) {
    return { kind: 'later', why: withoutSecrets(failureText(error, isLate, answerMs), secrets), afterMs: null }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

/**
 * Only what is wrong with the message itself is refused for good. A wrong login is mended over there, and so is a wrong
 * address: an ingress that is being rolled out answers 404 for everybody.
 */
function refusalOf({ status, headers }: Response, said: string, nowMs: number): Delivery {
  const why = `answers ${status}${said === '' ? '' : `: ${said}`}`
  if (status >= 300 && status < 400)
    return { kind: 'later', why: `${why}${redirectText(headers.get('location'))}`, afterMs: MENDING_MS }
  if (status === 401 || status === 403 || status === 404 || status === 407)
    return { kind: 'later', why, afterMs: MENDING_MS }
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return { kind: 'later', why, afterMs: retryAfterMs(headers.get('retry-after'), nowMs) }
  return { kind: 'refused', why, status }
}

/** Only the origin: the path may be a secret. */
function redirectText(location: string | null): string {
  const origin = location !== null && URL.canParse(location) ? new URL(location).origin : null
  return `: a redirect${origin === null ? '' : ` to ${clip(safeText(origin), ANSWER_SHOWN)}`}, which is not followed; name the final address`
}

/** Seconds, or a date; null: nothing that can be read. */
export function retryAfterMs(text: string | null, nowMs: number): number | null {
  if (text === null) return null
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), RETRY_AFTER_MAX_MS)
}

async function beginningOf(response: Response): Promise<string> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop cancels the rest.
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= ANSWER_BYTES_MAX) break
  }
  return Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX).toString('utf8').trim()
}

/** Longer ones first, as one may hold another; then cut, so that no half of a secret is left at the end. */
function withoutSecrets(text: string, secrets: readonly string[]): string {
  const hidden = [...secrets]
    .filter(secret => secret !== '')
    .sort((a, b) => b.length - a.length)
    .reduce((open, secret) => open.replaceAll(secret, '***'), text)
  return clip(safeText(hidden.replace(/\s+/g, ' ')), ANSWER_SHOWN)
}

const WORDS = new Map([
  ['ECONNREFUSED', 'refuses connections'],
  ['ECONNRESET', 'cut the connection'],
  ['UND_ERR_SOCKET', 'cut the connection'],
  ['EPIPE', 'cut the connection'],
  ['ENOTFOUND', 'has a name that nobody knows'],
  ['EAI_AGAIN', 'has a name that cannot be looked up now'],
  ['ETIMEDOUT', 'cannot be reached'],
  ['EHOSTUNREACH', 'cannot be reached'],
  ['ENETUNREACH', 'cannot be reached'],
  ['UND_ERR_CONNECT_TIMEOUT', 'cannot be reached']
])

/** `fetch` says only that it failed; its cause says why. */
function failureText(error: unknown, isLate: boolean, answerMs: number): string {
  if (isLate) return `gave no answer within ${answerMs / 1_000} s`
  const { cause } = error as { cause?: unknown }
  if (!(cause instanceof Error)) return error instanceof Error ? error.message : String(error)
  const { code } = cause as NodeJS.ErrnoException
  const words = code === undefined ? undefined : WORDS.get(code)
  return words === undefined ? cause.message : `${words} (${code})`
}
