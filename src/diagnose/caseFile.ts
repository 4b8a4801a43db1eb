/**
 * A case: one failure and the objects as they stood, in one JSON object. What `diagnose` reads, and what a bug report can hold.
 *
 *   {"id", "now", "failure": {"symptom", "time", …}, "objects": […], "watch": [{"type", "at", "object"}], "unreadable": ["Secret"]}
 */

import { CAUSES, type Cause } from '../../parsers/causes.ts'
import type { ClusterEvent, ListEvent } from '../cluster/event.ts'
import { cutText, isRecord, ownField } from '../cluster/fieldShape.ts'
import { type KeepOptions, keptObject, kindOf } from '../cluster/keptFields.ts'
import { KINDS, type Kind } from '../cluster/objects.ts'
import { recordedEvent } from '../cluster/recordedEvent.ts'
import { listEvents } from '../cluster/snapshotOrder.ts'
import { Why5xxError } from '../errors.ts'
import type { DiagnosisInput, FailureDetail } from './input.ts'

export interface DiagnosisCase {
  id: string
  /** null: it has none. */
  title: string | null
  input: DiagnosisInput
  /** What was watched, then a list of everything as it stood in the end. */
  events: ClusterEvent[]
}

const ID_MAX = 200
const TEXT_MAX = 8_000

/** Throws Why5xxError `WHY5XX_INPUT_UNREADABLE` that names the field and what it should be. */
export function readCase(value: unknown, options: KeepOptions = {}): DiagnosisCase {
  const reader = new FieldReader(value)
  const failure = reader.below('failure')
  const id = reader.text('id')
  if (id === null) throw reader.wrong('id', 'a text')
  const input = inputOf(failure)
  return { id: cutText(id, ID_MAX), title: reader.text('title'), input, events: eventsOf(reader, options) }
}

function inputOf(failure: FieldReader): DiagnosisInput {
  const symptom = failure.text('symptom')
  if (symptom === null || !(CAUSES as readonly string[]).includes(symptom))
    throw failure.wrong('symptom', 'a cause, as `why5xx causes` lists them')
  return {
    symptom: symptom as Cause,
    timeMs: failure.time('time'),
    namespace: failure.text('namespace'),
    service: failure.text('service'),
    port: failure.textOrNumber('port'),
    upstreamAddress: lastOf(failure.text('upstream_addr')),
    status: failure.number('status'),
    ingress: failure.text('ingress'),
    host: failure.text('host'),
    path: failure.text('path'),
    controllerNamespace: failure.text('controller_namespace'),
    controllerPod: failure.text('controller_pod'),
    detail: detailOf(failure.below('detail', true))
  }
}

function detailOf(detail: FieldReader): FailureDetail {
  return {
    error: detail.text('error'),
    method: detail.text('method'),
    requestTimeMs: detail.seconds('request_time'),
    upstreamResponseTimeMs: detail.seconds('upstream_response_time'),
    upstreamStatus: detail.number('upstream_status'),
    upstreamName: detail.text('upstream_name'),
    alternativeUpstreamName: detail.text('alternative_upstream_name'),
    client: detail.text('client'),
    agent: detail.text('agent'),
    bodyHint: detail.text('body_hint')
  }
}

/** `objects` is all there is: what is missing is absent, but for kinds that could not be read. */
function eventsOf(reader: FieldReader, options: KeepOptions): ClusterEvent[] {
  const nowMs = reader.time('now')
  const watched = reader.list('watch', true).map((event, i) => {
    const recorded = recordedEvent(event, options)
    const isOfOurs = kindOf(ownField(ownField(event, 'object'), 'kind'), undefined) !== null
    if (recorded === null && isOfOurs)
      throw reader.wrong(`watch[${i}]`, 'a type, a time (at) and an object with a name')
    return recorded
  })
  const unreadable = unreadableOf(reader)
  const objects = reader.list('objects').map(raw => {
    const object = keptObject(raw, options)
    const kind = kindOf(ownField(raw, 'kind'), ownField(raw, 'apiVersion'))
    if (object === null && kind !== null) unreadable[kind] = 'one of its objects cannot be read'
    return object
  })
  const readable = KINDS.filter(kind => unreadable[kind] === undefined)
  return [
    ...watched.filter(event => event !== null),
    ...listEvents(
      nowMs,
      readable,
      unreadable,
      null,
      objects.filter(object => object !== null)
    )
  ]
}

function unreadableOf(reader: FieldReader): ListEvent['unreadable'] {
  const unreadable: ListEvent['unreadable'] = {}
  for (const [i, kind] of reader.list('unreadable', true).entries()) {
    if (!(KINDS as readonly unknown[]).includes(kind))
      throw reader.wrong(`unreadable[${i}]`, `one of ${KINDS.join(', ')}`)
    unreadable[kind as Kind] = 'the case says that it could not be read'
  }
  return unreadable
}

/** nginx lists all attempts: the last one decided. `-` is nothing. */
function lastOf(text: string | null): string | null {
  const last =
    text
      ?.split(/[,:]\s|,/)
      .at(-1)
      ?.trim() ?? ''
  return last === '' || last === '-' ? null : last
}

/** Fields of one object of the case, checked. */
class FieldReader {
  readonly #value: unknown
  readonly #path: string
  readonly #id: string

  constructor(value: unknown, path = '', id: string | null = null) {
    this.#value = value
    this.#path = path
    const ownId = ownField(value, 'id')
    this.#id = id ?? (typeof ownId === 'string' ? ` ${cutText(ownId, ID_MAX)}` : '')
    if (!isRecord(value)) throw this.wrong('', 'an object')
  }

  wrong(field: string, expected: string): Why5xxError {
    const name = `${this.#path}${field}`.replace(/\.$/, '')
    const found = field === '' ? this.#value : ownField(this.#value, field)
    return new Why5xxError(
      'WHY5XX_INPUT_UNREADABLE',
      `case${this.#id}: ${name === '' ? '' : `${name}: `}expected ${expected}${described(found)}`
    )
  }

  /** null and absence are the same. */
  #field(field: string): unknown {
    return ownField(this.#value, field) ?? null
  }

  below(field: string, isOptional = false): FieldReader {
    const value = this.#field(field)
    return new FieldReader(value === null && isOptional ? {} : value, `${this.#path}${field}.`, this.#id)
  }

  text(field: string): string | null {
    const value = this.#field(field)
    if (value !== null && typeof value !== 'string') throw this.wrong(field, 'a text')
    return value === '' || value === null ? null : cutText(value, TEXT_MAX)
  }

  textOrNumber(field: string): string | null {
    const value = this.#field(field)
    return typeof value === 'number' ? String(value) : this.text(field)
  }

  /** Also as nginx writes it: `502`, `502, 200`, `-`. */
  number(field: string): number | null {
    const value = this.#field(field)
    if (value === null || (typeof value === 'number' && Number.isFinite(value))) return value as number | null
    if (typeof value !== 'string') throw this.wrong(field, 'a number')
    const last = lastOf(value)
    if (last === null) return null
    const number = Number(last)
    if (Number.isNaN(number)) throw this.wrong(field, 'a number')
    return number
  }

  /** Seconds → milliseconds. */
  seconds(field: string): number | null {
    const seconds = this.number(field)
    return seconds === null ? null : Math.round(seconds * 1_000_000) / 1_000
  }

  time(field: string): number {
    const value = this.#field(field)
    const ms = typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value) ? Date.parse(value) : Number.NaN
    if (Number.isNaN(ms)) throw this.wrong(field, 'a time such as 2026-11-21T10:02:11Z')
    return ms
  }

  list(field: string, isOptional = false): unknown[] {
    const value = this.#field(field)
    if (value === null && isOptional) return []
    if (!Array.isArray(value)) throw this.wrong(field, 'a list')
    return value
  }
}

function described(value: unknown): string {
  if (value === undefined || value === null) return '; it is missing'
  if (typeof value === 'string') return `, found "${cutText(value, 60)}"`
  if (Array.isArray(value)) return ', found a list'
  return `, found ${typeof value === 'object' ? 'an object' : JSON.stringify(value)}`
}
