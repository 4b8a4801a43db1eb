/**
 * Commands and arguments: the names of flags, and values that are numbers, hosts or URLs; `***` for the rest, so that
 * every argument keeps its place.
 *
 *   --timeout-keep-alive 5 --bind=127.0.0.1:8000 --password=hunter2 app:app
 *   → --timeout-keep-alive 5 --bind=127.0.0.1:8000 --password=*** ***
 */

import { cutText } from './fieldShape.ts'
import { isCredentialName, isHost, isNumber, keptValue } from './keptValue.ts'

const HIDDEN = '***'
const ARGUMENTS_MAX = 200
const LINE_MAX = 4_000
const WORDS_MAX = 200

/** What decides how long it keeps idle connections, waits before its end, or is told to run something else. */
const PROGRAMS = new Set(
  (
    'sh bash ash exec env tini dumb-init sleep python python3 node npm yarn npx java ruby bundle php php-fpm nginx deno bun go ' +
    'gunicorn uvicorn hypercorn daphne uwsgi puma unicorn rails flask waitress-serve start run serve server nginx-ingress-controller'
  ).split(' ')
)
/** Flags of the controller say which Ingresses it takes: no secrets. */
const CONTROLLER_FLAG =
  /^--(?:ingress-class|controller-class|ingress-class-by-name|configmap|watch-namespace|watch-namespace-selector|watch-ingress-without-class|default-backend-service|default-ssl-certificate|publish-service|election-id|disable-svc-external-name|tcp-services-configmap|udp-services-configmap|enable-ssl-passthrough|shutdown-grace-period)$/
const FLAG = /^--?[A-Za-z][\w.-]{0,63}$/
/** `-listen`, `-port`: what we read. `-psecret` is one word as well. */
const WORD_FLAG = /^-[a-z-]*(?:bind|listen|host|port|addr|keep|timeout)[a-z-]*$/

/** undefined: not a list. */
export function keptArguments(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const kept: string[] = []
  for (const argument of value.slice(0, ARGUMENTS_MAX)) {
    const text = typeof argument === 'string' ? cutText(argument, LINE_MAX).trim() : ''
    kept.push(/\s/.test(text) ? shellLine(text) : word(text, kept.at(-1), false))
  }
  return kept
}

/** `sh -c` takes one argument with all in it. Quotes hide what they hold; a secret may go on until the next flag. */
function shellLine(line: string): string {
  const kept: string[] = []
  let isSecret = false
  let isQuoted = false
  for (const quoted of line.split(/\s+/).slice(0, WORDS_MAX)) {
    const text = quoted.replace(/^(['"])([^'"]*)\1$/, '$2')
    if (FLAG.test(text)) isSecret = isCredentialName(text)
    kept.push(isQuoted || (isSecret && !FLAG.test(text)) ? HIDDEN : word(text, kept.at(-1), true))
    if (text.replace(/[^'"]/g, '').length % 2 === 1) isQuoted = !isQuoted
  }
  return kept.join(' ')
}

/** `previous`: the argument before it, as it is kept. */
function word(text: string, previous: string | undefined, isInLine: boolean): string {
  const assignment = /^(-{0,2}[A-Za-z][\w.-]{0,63})=(.*)$/s.exec(text)
  if (assignment) return `${assignment[1]}=${flagValue(assignment[1]!, assignment[2]!)}`
  if (isFlag(text)) return text
  if (previous !== undefined && isFlag(previous)) return flagValue(previous, text)
  // `--db-host db` names a Service; `db` alone may be anything, with a port it is an address.
  const isProgram = PROGRAMS.has(text.slice(text.lastIndexOf('/') + 1)) && /^[\w./-]{1,200}$/.test(text)
  if (isProgram || text === '&&' || text === ';' || (previous === undefined && !isInLine && isPath(text))) return text
  if (isNumber(text)) return text
  if (isHost(text)) return /[.:]/.test(text) || text === 'localhost' ? text : HIDDEN
  return (text.includes('://') ? keptValue('', text) : undefined) ?? HIDDEN
}

function isFlag(text: string): boolean {
  return FLAG.test(text) && (text.startsWith('--') || text.length === 2 || WORD_FLAG.test(text))
}

function flagValue(flag: string, value: string): string {
  if (CONTROLLER_FLAG.test(flag) && /^[\w$()./=-]{1,200}$/.test(value)) return value
  const kept = keptValue(flag, value)
  if (kept === undefined) return HIDDEN
  // `-p` may stand for a port or for a password.
  return /^-[^-]$/.test(flag) && /^[a-z][a-z\d-]*$/.test(kept) && !/^-[hHb]$/.test(flag) ? HIDDEN : kept
}

function isPath(text: string): boolean {
  return /^\/(?:[\w.-]{1,60}\/){0,10}[\w.-]{1,60}$/.test(text) && text.replace(/\D/g, '').length <= 4
}
