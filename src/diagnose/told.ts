/** What a diagnosis tells, for sentences and commands: names, times and cited values, each of which may be missing. */

import { clip, safeText } from '../text.ts'
import { type Citation, parseCitation } from './citation.ts'
import type { Diagnosis } from './diagnosis.ts'
import { ROOT_CAUSES, type RootCause } from './rootCauses.ts'
import { isoText } from './times.ts'

/** Unix ms as people read it, in the zone of the reader: `10:02:11`. */
export type Clock = (ms: number) => string

/** The time of day, UTC. */
export const utcClock: Clock = ms => isoText(ms)?.slice(11, 19) ?? 'an unknown time'

/** Of a value in a sentence: messages can be pages. */
const VALUE_MAX = 160
/** What a dependency that is down explains. */
const EXPLAINED: ReadonlySet<string> = new Set(['app_error', 'app_slow'])
const ANNOTATION = 'nginx.ingress.kubernetes.io/'

export class Told {
  readonly diagnosis: Diagnosis
  readonly citations: readonly Citation[]
  readonly #clock: Clock

  constructor(diagnosis: Diagnosis, clock: Clock) {
    this.diagnosis = diagnosis
    this.#clock = clock
    this.citations = diagnosis.evidence.map(({ cite }) => parseCitation(cite)).filter(citation => citation !== null)
  }

  /** The first citation whose fields end so: `lastState.terminated.reason`; `kind` and what stands in brackets narrow it. */
  cited(end: string, narrow: { kind?: string; key?: string; isEvent?: boolean } = {}): Citation | null {
    const { kind, key, isEvent = false } = narrow
    const found = this.citations.find(
      citation =>
        citation.isEvent === isEvent &&
        (citation.fields === end || citation.fields.endsWith(`.${end}`)) &&
        (kind === undefined || citation.kind === kind) &&
        (key === undefined || citation.keys.includes(key))
    )
    return found ?? null
  }

  /** Its value, safe to print; null: not cited, or absent. */
  value(end: string, narrow: { kind?: string; key?: string; isEvent?: boolean } = {}): string | null {
    const value = this.cited(end, narrow)?.value ?? null
    return value === null ? null : shown(value)
  }

  /** Of an annotation of ingress-nginx, by its name without the prefix. */
  annotation(name: string): string | null {
    return this.value('metadata.annotations', { key: `${ANNOTATION}${name}` })
  }

  /** The first annotation of ingress-nginx that is cited: `limit-rps` and `5`; value null: it is not set. */
  get annotated(): { name: string; value: string | null } | null {
    for (const { fields, keys, value } of this.citations) {
      const [name] = keys
      if (fields === 'metadata.annotations' && name?.startsWith(ANNOTATION))
        return { name: shown(name.slice(ANNOTATION.length)), value: value === null ? null : shown(value) }
    }
    return null
  }

  /** A message of an Event, of a waiting container or of a condition. */
  get message(): string | null {
    return this.value('message', { isEvent: true }) ?? this.value('message')
  }

  /** The first citation of an object that is not there. */
  get missing(): Citation | null {
    return this.citations.find(({ path }) => path === '') ?? null
  }

  /** `shop/a-1`: the object at fault without its kind. */
  get name(): string {
    const { ref } = this.diagnosis
    return ref === null ? 'it' : shown(ref.slice(ref.indexOf(' ') + 1))
  }

  /** `Service shop/a`: with its kind. */
  get ref(): string {
    return this.diagnosis.ref === null ? 'an object' : shown(this.diagnosis.ref)
  }

  isOf(kind: string): boolean {
    return this.diagnosis.ref?.startsWith(`${kind} `) === true
  }

  /** `shop/a-1`: the pod at fault, else the blamed one. */
  get pod(): string {
    const { namespace, pod } = this.diagnosis.names
    if (this.isOf('Pod')) return this.name
    return pod === null ? 'the pod' : shown(namespace === null ? pod : `${namespace}/${pod}`)
  }

  /** `Service shop/cart`. */
  get service(): string {
    const { namespace, service } = this.diagnosis.names
    if (this.isOf('Service')) return this.ref
    return service === null
      ? 'the Service'
      : shown(`Service ${namespace === null ? service : `${namespace}/${service}`}`)
  }

  /** `Ingress shop/cart`. */
  get ingress(): string {
    const { namespace, ingress } = this.diagnosis.names
    if (this.isOf('Ingress')) return this.ref
    return ingress === null
      ? 'the Ingress'
      : shown(`Ingress ${namespace === null ? ingress : `${namespace}/${ingress}`}`)
  }

  /** `node worker-1`. */
  get node(): string {
    if (this.isOf('Node')) return `node ${this.name}`
    const { node } = this.diagnosis.names
    return node === null ? 'its node' : `node ${shown(node)}`
  }

  /** `container app`. */
  get container(): string {
    const { container } = this.diagnosis.names
    const cited = this.citations.find(({ fields }) =>
      /^(?:status|spec)\.(?:init)?containers?(?:statuses)?\b/i.test(fields)
    )
    const name = cited?.keys[0] ?? container
    return name === null || name === undefined ? 'its container' : `container ${shown(name)}`
  }

  /** ` at 10:02:11`; '' when it is not dated. */
  get at(): string {
    const { atMs } = this.diagnosis
    return atMs === null ? '' : ` at ${this.#clock(atMs)}`
  }

  /** ` since 10:02:11`. */
  get since(): string {
    const { atMs } = this.diagnosis
    return atMs === null ? '' : ` since ${this.#clock(atMs)}`
  }

  /**
   * The deepest cause behind one that only passes it on (a default backend, a dependency); null: none was found. A chain also
   * names what the answer explains: those are about the pod that was asked, not about the one behind it.
   */
  get behind(): RootCause | null {
    const { chain, rootCause } = this.diagnosis
    const causes = chain
      .slice(1)
      .filter(
        cause => cause !== rootCause && !EXPLAINED.has(cause) && (ROOT_CAUSES as readonly string[]).includes(cause)
      )
    return (causes.at(-1) as RootCause | undefined) ?? null
  }
}

/** Texts of objects and logs are data: printed without control characters, and not by the page. */
export function shown(text: string): string {
  return clip(safeText(text), VALUE_MAX)
}

/** ` (limit 256Mi)`; '' when there is nothing to say. */
export function aside(text: string | null, before = ''): string {
  return text === null || text === '' ? '' : ` (${before}${text.replace(/\.$/, '')})`
}
