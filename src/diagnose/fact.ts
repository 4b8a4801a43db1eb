/** What is cited for a root cause: an object, a path in it and its value, and a sentence for people. */

import type { KubeEvent, KubeObject } from '../cluster/objects.ts'
import type { History } from '../cluster/state.ts'

export interface Fact {
  /**
   * `Pod shop/a-1 status.containerStatuses[app].lastState.terminated.reason=OOMKilled`: list members by their name, type, ip,
   * host, path or port in brackets, map keys with dots in brackets too. `Service shop/x absent`, `… readinessProbe=absent`.
   * Events through their object: `Event Pod shop/a-1 reason=Unhealthy`.
   */
  cite: string
  /** When it came to be so, Unix ms; null: not dated. */
  atMs: number | null
  /** One sentence without a full stop, no newline: log and object texts in it are data. */
  text: string
}

/** `Pod shop/a-1`, `Node worker-1`. */
export function nameOf({ kind, namespace, name }: Pick<History, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`
}

type Value = string | number | boolean

/** A field of an object. `value` null: the field is absent. */
export function field(
  history: Pick<History, 'kind' | 'namespace' | 'name'>,
  path: string,
  value: Value | null | undefined,
  text: string,
  atMs: number | null = null
): Fact {
  return { cite: `${nameOf(history)} ${path}=${value ?? 'absent'}`, atMs, text: onOneLine(text) }
}

/** An object that is not there. */
export function absent(kind: KubeObject['kind'], namespace: string, name: string, text: string): Fact {
  return { cite: `${nameOf({ kind, namespace, name })} absent`, atMs: null, text }
}

/** An object that nobody could see: whether it was there is not known. */
export function unknown(kind: KubeObject['kind'], namespace: string, name: string): Fact {
  const named = nameOf({ kind, namespace, name })
  return { cite: `${named} existence=unknown`, atMs: null, text: `whether ${named} was there could not be observed` }
}

/** An Event: its reason and its message are cited each by itself; the sentence stands at the first. */
export function eventFacts({ object }: { object: KubeEvent }, atMs: number | null, text: string): Fact[] {
  const { kind = '', namespace = '', name = '' } = object.involvedObject ?? {}
  const about = `Event ${kind} ${namespace === '' ? name : `${namespace}/${name}`}`
  const facts: Fact[] = [{ cite: `${about} reason=${object.reason ?? ''}`, atMs, text }]
  const { message } = object
  if (message !== undefined) facts.push({ cite: `${about} message=${message}`, atMs, text: onOneLine(message) })
  return facts
}

/** Values of annotations and messages may hold newlines. */
function onOneLine(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/\s+/g, ' ') : text
}

/** A key of a map in a path: `.app`, and `[app.kubernetes.io/name]` when it holds a dot. */
export function key(name: string): string {
  return name.includes('.') ? `[${name}]` : `.${name}`
}
