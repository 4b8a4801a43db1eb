import type { ControllerSetting } from '../../cluster/controllerSettings.ts'
import { covers } from '../events.ts'
import { type Fact, nameOf } from '../fact.ts'
import type { Finding, Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { annotationFact } from '../setting.ts'
import { parsingFailed } from './ingressAnnotationDenied.ts'

interface Gate {
  variant: string
  annotations: readonly ControllerSetting[]
  /** Its words in the error log; it says nothing else. null: it leaves none. */
  pattern: RegExp | null
  statuses: readonly number[]
}

/** What an Ingress may refuse requests with; those with words of their own first. */
const GATES: readonly Gate[] = [
  {
    variant: 'waf',
    annotations: ['enable-modsecurity', 'enable-owasp-core-rules'],
    pattern: /modsecurity/i,
    statuses: [403]
  },
  {
    variant: 'client_cert',
    annotations: ['auth-tls-secret', 'auth-tls-verify-client'],
    pattern: /client (?:SSL certificate verify error|sent no required SSL certificate)|SSL certificate/i,
    statuses: [400, 401, 403, 495, 496]
  },
  {
    variant: 'source_range',
    annotations: ['whitelist-source-range', 'allowlist-source-range', 'denylist-source-range'],
    pattern: /access forbidden by rule/i,
    statuses: [403]
  },
  {
    variant: 'basic',
    annotations: ['auth-type', 'auth-secret'],
    pattern: /no user\/password was provided|was not found in "|password mismatch|basic authentication|digest/i,
    statuses: [401, 403]
  },
  { variant: 'external', annotations: ['auth-url'], pattern: null, statuses: [401, 403] }
]

/** Refused on purpose: by a check that the Ingress asks for, or because the request itself is not taken. */
export const requestDenied: Rule = {
  cause: 'request_denied',
  judge(scene) {
    const { symptom, input, moment, ingress } = scene
    const error = input.detail.error ?? ''
    if (symptom === 'body_too_large') return ofSize(scene, 'size')
    if (symptom === 'bad_request') return gated(scene, error) ?? ofSize(scene, 'malformed')
    if (ingress === null || (input.status !== 401 && input.status !== 403)) return null
    const failed = parsingFailed(scene)
    if (failed !== null && covers(failed, moment))
      return { because: 'the controller could not read an annotation of the Ingress' }
    return gated(scene, error) ?? fitting(scene, error)
  }
}

/** By the words of the error. */
function gated(scene: Scene, error: string): Finding | null {
  const gate = GATES.find(({ pattern }) => pattern?.test(error))
  return gate === undefined ? null : refusedBy(scene, gate)
}

/** Without words of a gate: one that leaves none, or the only one that answers so. */
function fitting(scene: Scene, error: string): Finding | null {
  const { status } = scene.input
  const set = GATES.filter(
    ({ annotations, statuses }) => statuses.includes(status!) && annotations.some(name => isSet(scene, name))
  )
  const silent = set.find(({ pattern }) => pattern === null)
  const first = silent ?? (error === '' || set.length === 1 ? set[0] : undefined)
  return first === undefined ? null : refusedBy(scene, first)
}

function refusedBy(scene: Scene, { variant, annotations }: Gate): Finding | null {
  const facts = annotations
    .filter(name => isSet(scene, name))
    .map(name => annotationFact(scene, name, `the Ingress sets ${name} to ${scene.annotation(name)}`)!)
  const [first] = facts.length > 0 ? facts : annotations.flatMap(name => globalFact(scene, name))
  if (first === undefined) return null
  const needs = facts.length > 0 ? facts : [first]
  return { tier: 'A', variant, ref: nameOf((scene.ingress ?? scene.configMap)!.history), atMs: null, needs }
}

/** Set for all Ingresses. */
function globalFact(scene: Scene, name: ControllerSetting): Fact[] {
  const setting = scene.setting(name)
  return setting.from === 'configMap' && setting.fact !== null && setting.value !== 'false' ? [setting.fact] : []
}

function isSet(scene: Scene, name: string): boolean {
  const value = scene.annotation(name)
  return value !== null && value !== '' && value !== 'false' && value !== 'off'
}

function ofSize(scene: Scene, variant: 'size' | 'malformed'): Finding | null {
  const { fact, value } = scene.setting('proxy-body-size')
  const owner = scene.ingress ?? scene.configMap
  if (owner === null || fact === null) return null
  const text = `${fact.text}: ${variant === 'size' ? 'larger bodies are refused' : `bodies up to ${value} are taken`}`
  return { tier: 'A', variant, ref: nameOf(owner.history), atMs: null, needs: [{ ...fact, text }] }
}
