import { hostOfUrl, serviceNameOf } from '../clusterName.ts'
import { type Fact, field, nameOf } from '../fact.ts'
import { readyFacts } from '../readyFacts.ts'
import type { Ask, Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import type { Setting } from '../setting.ts'

const CITED_PODS = 4
const UNEXPECTED = /auth request unexpected status/i

/** The service that is asked whether a request may pass cannot answer. */
export const authBackendFailing: Rule = {
  cause: 'auth_backend_failing',
  judge(scene, ask) {
    const { input, ingress } = scene
    const isSaid = UNEXPECTED.test(input.detail.error ?? '')
    if (!isSaid && input.status !== null && input.status !== 500) return null
    const url = authUrl(scene)
    if (url === null || url.fact === null) return null
    const inside = insideOf(scene, url, ask)
    const owner = ingress ?? scene.configMap
    if (owner === null) return null
    if (inside === null && !isSaid) return { tier: 'C', ref: nameOf(owner.history), atMs: null, needs: [url.fact] }
    return {
      tier: 'A',
      ref: inside?.ref ?? nameOf(owner.history),
      atMs: inside?.atMs ?? null,
      needs: [url.fact, ...(inside?.facts ?? [])],
      isUnobserved: inside?.isUnobserved === true && !isSaid,
      chain: inside?.chain ?? []
    }
  }
}

/** Of the Ingress, else of all of them. */
function authUrl(scene: Scene): Setting | null {
  for (const name of ['auth-url', 'global-auth-url'] as const) {
    const setting = scene.setting(name)
    if (setting.value !== '') return setting
  }
  return null
}

interface Inside {
  ref: string
  atMs: number | null
  facts: Fact[]
  isUnobserved: boolean
  chain: string[]
}

/** What is wrong with the Service behind the URL; null: it is outside, or had a ready pod. */
function insideOf(scene: Scene, { value, fact }: Setting, ask: Ask): Inside | null {
  const host = hostOfUrl(value)
  const own = scene.ingress?.history.namespace ?? scene.namespace
  const name = host === null || own === null || fact === null ? null : serviceNameOf(host, own)
  if (name === null) return null
  const { namespace, service } = name
  const known = scene.get('Service', namespace, service)
  if (known === null) {
    // `auth.example` may be a domain.
    if (name.isShort && !scene.isObservable('Service', namespace)) return null
    if (name.isShort && host!.includes('.') && scene.get('Namespace', '', namespace) === null) return null
    const missing = scene.absence('Service', namespace, service, `no Service ${namespace}/${service} was there`)!
    const ref = nameOf({ kind: 'Service', namespace, name: service })
    return { ref, atMs: null, facts: [missing.fact], isUnobserved: !missing.isCertain, chain: [] }
  }
  if (known.object.spec?.type === 'ExternalName') return null
  const pods = scene.podsOf(known)
  const selector = Object.keys(known.object.spec?.selector ?? {})
  if (selector.length === 0 || pods.some(pod => !pod.isOut)) return null
  const isObservable = scene.isObservable('Pod', namespace)
  const nested = ask(scene.beside(namespace, service))
  const unready = pods.slice(0, CITED_PODS).flatMap(pod => readyFacts(pod, `${pod.ref} answers for auth`).slice(0, 1))
  return {
    ref: nested?.finding.ref ?? nameOf(known.history),
    atMs: nested?.finding.atMs ?? null,
    facts: [
      field(known.history, 'spec.type', known.object.spec?.type ?? 'ClusterIP', `Service ${service} had no ready pod`),
      ...unready,
      ...(nested?.finding.needs ?? [])
    ],
    isUnobserved: !isObservable,
    chain: nested === null ? [] : [nested.cause]
  }
}
