/** Which rule of which Ingress would take a request. */

import type { Ingress } from '../cluster/objects.ts'
import type { Current } from './current.ts'
import { type Fact, field } from './fact.ts'
import { type BackendReference, backendsOf, rulePath } from './ingressBackends.ts'
import { annotationOf } from './ingressClasses.ts'
import { hostMatches, pathMatches } from './routing.ts'
import { ANNOTATION_PREFIX } from './scene.ts'

/** The rule of an Ingress that takes host and path, the longest path first; null: none does. */
export function matchIn(ingress: Current<Ingress>, host: string, path: string): BackendReference | null {
  const fitting = backendsOf(ingress).filter(
    reference => hostMatches(reference.rule?.host, host) && isPathTaken(reference, path)
  )
  return fitting.sort((a, b) => b.rule!.path.length - a.rule!.path.length)[0] ?? null
}

/** The rule of a reference takes a path, as a pattern where its Ingress says so. */
export function isPathTaken({ ingress, rule }: BackendReference, path: string): boolean {
  const isRegex = isTrue(ingress, 'use-regex') || isSet(ingress, 'rewrite-target')
  return rule !== null && pathMatches(rule, path, isRegex)
}

/** It only takes a share of what another Ingress is asked for. */
export function isCanary(ingress: Current<Ingress>): boolean {
  return isTrue(ingress, 'canary')
}

function isTrue(ingress: Current<Ingress>, name: string): boolean {
  return annotationOf(ingress.object.metadata.annotations, `${ANNOTATION_PREFIX}${name}`) === 'true'
}

function isSet(ingress: Current<Ingress>, name: string): boolean {
  return annotationOf(ingress.object.metadata.annotations, `${ANNOTATION_PREFIX}${name}`) !== null
}

/** What comes nearest: the same host, else the host most like it; there the path most like it. null: no rule at all. */
export function nearestTo(ingresses: readonly Current<Ingress>[], host: string, path: string): BackendReference | null {
  const likely = ingresses
    .flatMap(backendsOf)
    .flatMap(reference => (reference.rule === null ? [] : [{ reference, rule: reference.rule }]))
    .map(item => ({ ...item, likeness: likeness(item.rule.host ?? '', host) }))
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, COMPARED_RULES)
  let best: { reference: BackendReference; apart: number } | null = null
  for (const { reference, rule } of likely) {
    const hostDistance = hostMatches(rule.host, host) ? 0 : 1 + distance(rule.host ?? '', host)
    const apart = hostDistance * 1000 + distance(rule.path, path.slice(0, rule.path.length + 8))
    if (best === null || apart < best.apart) best = { reference, apart }
  }
  return best?.reference ?? null
}

/** Letters that two hosts share at both ends: cheap, so that of thousands of rules only a few are compared letter by letter. */
function likeness(one: string, other: string): number {
  if (hostMatches(one, other)) return Number.POSITIVE_INFINITY
  const shortest = Math.min(one.length, other.length)
  let start = 0
  while (start < shortest && one[start] === other[start]) start++
  let end = 0
  while (end < shortest - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end++
  return start + end
}

/** Host and path of a rule. */
export function ruleFacts({ ingress, path, rule }: BackendReference): Fact[] {
  if (rule === null) return []
  const host = rule.host ?? '*'
  const where = path.slice(0, -'.backend'.length)
  return [
    field(ingress.history, `${rulePath(rule.host)}.host`, host, `the rule takes host ${host}`),
    field(ingress.history, `${where}.path`, rule.path, `and path ${rule.path} (${rule.pathType ?? 'no path type'})`)
  ]
}

const COMPARED = 100
const COMPARED_RULES = 50

/** Letters to change, add or leave out; of long texts the first hundred. */
function distance(one: string, other: string): number {
  const a = one.toLowerCase().slice(0, COMPARED)
  const b = other.toLowerCase().slice(0, COMPARED)
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
