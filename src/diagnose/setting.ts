/** A setting of the controller as it was in force for a request. */

import type { ControllerSetting } from '../cluster/controllerSettings.ts'
import { type Fact, field, key } from './fact.ts'
import { ANNOTATION_PREFIX, type Scene } from './scene.ts'

export interface Setting {
  value: string
  from: 'annotation' | 'configMap' | 'default'
  /** Where it stands; of a default that it stands nowhere. null: neither Ingress nor ConfigMap is known. */
  fact: Fact | null
  /** False: nobody may read the ConfigMap, which may say otherwise than the default. */
  isCertain: boolean
}

/** Defaults of ingress-nginx (internal/ingress/controller/config/config.go) for what rules compare. */
const DEFAULTS: Readonly<Partial<Record<ControllerSetting, string>>> = {
  'proxy-connect-timeout': '5',
  'proxy-read-timeout': '60',
  'proxy-send-timeout': '60',
  'proxy-buffer-size': '4k',
  'proxy-body-size': '1m',
  'upstream-keepalive-timeout': '60',
  'backend-protocol': 'HTTP',
  'limit-req-status-code': '503',
  'limit-conn-status-code': '503',
  'max-worker-connections': '16384',
  'proxy-ssl-verify': 'off',
  'proxy-ssl-server-name': 'off'
}

/** What only the ConfigMap sets: no annotation of that name means anything. */
const OF_CONTROLLER: ReadonlySet<ControllerSetting> = new Set<ControllerSetting>([
  'upstream-keepalive-timeout',
  'limit-req-status-code',
  'limit-conn-status-code',
  'max-worker-connections',
  'max-worker-open-files',
  'worker-processes',
  'global-auth-url',
  'client-body-timeout',
  'client-header-timeout'
])

/** The annotation of the Ingress, else the ConfigMap, else the default; '' when there is none of these. */
export function settingOf(scene: Scene, name: ControllerSetting): Setting {
  const isOfController = OF_CONTROLLER.has(name)
  const annotation = isOfController ? null : scene.annotation(name)
  const { ingress, configMap } = scene
  const path = annotationPath(name)
  if (annotation !== null) {
    const text = `the Ingress sets ${name} to ${annotation}`
    return {
      value: annotation,
      from: 'annotation',
      fact: field(ingress!.history, path, annotation, text),
      isCertain: true
    }
  }
  const data = configMap?.object.data
  if (data && Object.hasOwn(data, name)) {
    const value = String(data[name])
    const text = `the controller's ConfigMap sets ${name} to ${value}`
    return {
      value,
      from: 'configMap',
      fact: field(configMap.history, `data${key(name)}`, value, text),
      isCertain: true
    }
  }
  const value = Object.hasOwn(DEFAULTS, name) ? DEFAULTS[name]! : ''
  const text = value === '' ? `${name} is not set` : `${name} is not set; the default is ${value}`
  const isCertain = configMap !== null || scene.isObservable('ConfigMap', scene.controller.namespace ?? '')
  if (isOfController) {
    const fact = configMap === null ? null : field(configMap.history, `data${key(name)}`, null, text)
    return { value, from: 'default', fact, isCertain }
  }
  const fact = ingress === null ? null : field(ingress.history, path, null, text)
  return { value, from: 'default', fact, isCertain }
}

/** `metadata.annotations[nginx.ingress.kubernetes.io/auth-url]`. */
export function annotationPath(name: string): string {
  return `metadata.annotations[${ANNOTATION_PREFIX}${name}]`
}

/** An annotation of the Ingress as it stands, or that it does not. null: the Ingress is not known. */
export function annotationFact(scene: Scene, name: string, text: string): Fact | null {
  return scene.ingress && field(scene.ingress.history, annotationPath(name), scene.annotation(name), text)
}

/** `20`, `20s`, `1m`, `500ms`, `1h`: seconds; null: something else. */
export function secondsOf(text: string): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)(ms|s|m|h|d)?\s*$/.exec(text)
  if (match === null) return null
  const factor = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 }[match[2] ?? 's']!
  return Number(match[1]) * factor
}
