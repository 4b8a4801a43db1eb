/** Commands of kubectl, made of data: every name and every payload is one word to the shell. */

import { quoteForShell } from '../../text.ts'
import { objectOf } from '../citation.ts'
import type { Change, Remediation } from './remedy.ts'

export interface Named {
  kind: string
  namespace: string
  name: string
}

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
/** How an API server merges: lists of containers and ports by their keys, maps only, or by operations. */
export type PatchType = 'strategic' | 'merge' | 'json'

const DRY_RUN = '--dry-run=server'

/** `kubectl -n shop get deployment cart`. */
export function kubectl({ kind, namespace, name }: Named, verb: string, ...rest: string[]): string {
  const space = namespace === '' ? '' : ` -n ${quoteForShell(namespace)}`
  return [`kubectl${space}`, verb, kind.toLowerCase(), quoteForShell(name), ...rest].join(' ')
}

export function patch(object: Named, type: PatchType, payload: Json): string {
  return kubectl(object, 'patch', `--type=${type}`, `-p ${quoted(JSON.stringify(payload))}`, DRY_RUN)
}

/** `path`: of one field in dots, `{.spec.replicas}`. */
export function show(object: Named, path: string): string {
  return kubectl(object, 'get', `-o jsonpath=${quoted(`{.${path}}`)}`)
}

export function scale({ kind, namespace, name }: Named, replicas: number, current: number | null): string {
  const expected = current === null ? [] : [`--current-replicas=${current}`]
  return kubectl({ kind, namespace, name }, 'scale', `--replicas=${replicas}`, ...expected, DRY_RUN)
}

export function remove(object: Named): string {
  return kubectl(object, 'delete', DRY_RUN)
}

/** Back to the revision before; `revision`: to that one. */
export function rolloutUndo({ kind, namespace, name }: Named): string {
  const words = `${kind.toLowerCase()}/${name}`
  return `kubectl -n ${quoteForShell(namespace)} rollout undo ${quoteForShell(words)} ${DRY_RUN}`
}

export function rolloutHistory({ kind, namespace, name }: Named): string {
  return `kubectl -n ${quoteForShell(namespace)} rollout history ${quoteForShell(`${kind.toLowerCase()}/${name}`)}`
}

/** One field of an object set by a patch, and back. */
export function change(
  object: Named,
  path: string,
  [from, to]: readonly [from: Json | undefined, to: Json],
  payload: (value: Json) => Json,
  type: PatchType = 'strategic',
  note: string | null = null
): Remediation {
  return {
    commands: [patch(object, type, payload(to))],
    diff: [changed(object, path, from, to)],
    // null takes a field away, in both kinds of merge.
    undo: [patch(object, type, payload(from ?? null))],
    manifest: null,
    note,
    isAutomatic: true
  }
}

/** A patch of one container of a template. */
export function inTemplate({ name, list }: TemplateContainer, fields: { [key: string]: Json }): Json {
  return { spec: { template: { spec: { [list]: [{ name, ...fields }] } } } }
}

export interface TemplateContainer {
  name: string
  list: 'containers' | 'initContainers'
}

/** `spec.template.spec.containers[app].livenessProbe`. */
export function templatePath({ name, list }: TemplateContainer, path: string): string {
  return `spec.template.spec.${list}[${name}].${path}`
}

export function changed(object: Named, path: string, from: Json | undefined, to: Json): Change {
  const text = (value: Json | undefined): string | null =>
    value === undefined || value === null ? null : JSON.stringify(value)
  return { object: objectOf(object), path, from: text(from), to: text(to) }
}

/** A payload keeps its characters: what moves a cursor is written as JSON escapes, which mean the same. */
function quoted(text: string): string {
  const plain = text.replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, char =>
    char.replace(/[\s\S]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  )
  return `'${plain.replaceAll("'", `'\\''`)}'`
}
