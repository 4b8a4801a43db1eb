import type { ControllerSetting } from '../../cluster/controllerSettings.ts'
import { covers, eventsOf } from '../events.ts'
import { eventFacts, type Fact, field, key, nameOf } from '../fact.ts'
import { controllerClasses, isTaken } from '../ingressClasses.ts'
import { matchIn, ruleFacts } from '../ingressMatch.ts'
import { readyFacts } from '../readyFacts.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { annotationPath } from '../setting.ts'

const ANNOTATIONS = [
  'configuration-snippet',
  'server-snippet',
  'auth-snippet',
  'modsecurity-snippet',
  'stream-snippet',
  'rewrite-target',
  'app-root',
  'permanent-redirect',
  'temporal-redirect',
  'custom-http-errors'
]
const KEYS: readonly ControllerSetting[] = [
  'plugins',
  'main-snippet',
  'http-snippet',
  'server-snippet',
  'location-snippet',
  'auth-snippet',
  'modsecurity-snippet',
  'custom-http-errors'
]
const CITED_PODS = 4
const LUA = /\blua\b|\[lua\]/i
const RELOAD_FAILED = /error reloading nginx/i
/** Of rewrites and redirects only a cycle speaks. */
const IS_CODE = /snippet|plugins/

/** A snippet or plugin that fails, or a configuration that nginx did not load. */
export const controllerConfigError: Rule = {
  cause: 'controller_config_error',
  judge(scene) {
    const { symptom, input } = scene
    const isWritten = symptom === 'lua_error' || symptom === 'controller_config' || LUA.test(input.detail.error ?? '')
    const isCycle = symptom === 'redirect_cycle'
    const code = isWritten || isCycle ? codeFacts(scene, isCycle) : []
    const reload = reloadFacts(scene)
    if (code.length === 0 && reload.length === 0) return null
    const isOwn = isWritten || isCycle
    // A reload that failed leaves what was loaded before: it matters to what should have been there.
    const should = isOwn ? [] : awaited(scene)
    if (!isOwn && (should === null || reload.length === 0)) return null
    const owner = code.length > 0 ? (scene.ingress ?? scene.configMap) : null
    const [pod] = scene.controller.pods
    return {
      tier: 'A',
      ref: owner === null ? (pod?.ref ?? nameOf(scene.configMap!.history)) : nameOf(owner.history),
      atMs: reload[0]?.atMs ?? null,
      needs: [...reload, ...code, ...(should ?? [])]
    }
  }
}

/** Snippets and plugins, of the Ingress and of all. */
function codeFacts({ ingress, configMap }: Scene, isCycle: boolean): Fact[] {
  const facts: Fact[] = []
  const isMeant = (name: string): boolean => isCycle || IS_CODE.test(name)
  const { annotations } = ingress?.object.metadata ?? {}
  for (const name of ANNOTATIONS.filter(isMeant)) {
    const full = annotationPath(name).slice('metadata.annotations['.length, -1)
    if (annotations && Object.hasOwn(annotations, full))
      facts.push(field(ingress!.history, annotationPath(name), annotations[full], `the Ingress sets ${name}`))
  }
  const data = configMap?.object.data
  for (const name of KEYS.filter(isMeant))
    if (data && Object.hasOwn(data, name))
      facts.push(
        field(configMap.history, `data${key(name)}`, data[name], `the ConfigMap of the controller sets ${name}`)
      )
  return facts
}

/** Events RELOAD that say that it failed. */
function reloadFacts({ controller, state, moment }: Scene): Fact[] {
  for (const pod of controller.pods) {
    const failed = eventsOf(state, pod.history).findLast(
      event => event.reason === 'RELOAD' && RELOAD_FAILED.test(event.message) && covers(event, moment)
    )
    if (failed !== undefined)
      return eventFacts(failed, failed.firstMs, `nginx of ${pod.ref} could not load its configuration`)
  }
  return []
}

/** What the configuration would have had for the request; null: nothing, or it was there. */
function awaited(scene: Scene): Fact[] | null {
  const { symptom, input, ingress, pods } = scene
  if (symptom === 'no_endpoints') {
    const ready = pods.filter(pod => !pod.isOut)
    if (ingress === null || ready.length === 0) return null
    return ready.slice(0, CITED_PODS).flatMap(pod => readyFacts(pod, `${pod.ref} was Ready`).slice(0, 1))
  }
  if (symptom === 'upstream_error') return input.detail.upstreamStatus === null && ingress !== null ? [] : null
  if (input.host === null) return null
  const classes = controllerClasses(scene)
  for (const candidate of scene.all('Ingress', null)) {
    const match = isTaken(candidate, classes) ? matchIn(candidate, input.host, input.path ?? '/') : null
    if (match !== null) return ruleFacts(match)
  }
  return null
}
