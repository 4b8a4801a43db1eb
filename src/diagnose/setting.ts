/** A setting of the controller as it was in force for a request. */

import { type Fact, field } from './fact.ts'
import { ANNOTATION_PREFIX, type Scene } from './scene.ts'

export interface Setting {
  value: string
  from: 'annotation' | 'configMap' | 'default'
  /** Where it stands; of a default that it stands nowhere. null: neither Ingress nor ConfigMap is known. */
  fact: Fact | null
}

/** Defaults of ingress-nginx (internal/ingress/controller/config/config.go) for what rules compare. */
const DEFAULTS: Readonly<Record<string, string>> = {
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

/** The annotation of the Ingress, else the ConfigMap, else the default; '' when there is none of these. */
export function settingOf(scene: Scene, name: string): Setting {
  const annotation = scene.annotation(name)
  const { ingress, configMap } = scene
  const path = `metadata.annotations[${ANNOTATION_PREFIX}${name}]`
  if (annotation !== null) {
    const text = `the Ingress sets ${name} to ${annotation}`
    return { value: annotation, from: 'annotation', fact: field(ingress!.history, path, annotation, text) }
  }
  const data = configMap?.object.data
  if (data && Object.hasOwn(data, name)) {
    const value = String(data[name])
    const text = `the controller's ConfigMap sets ${name} to ${value}`
    return { value, from: 'configMap', fact: field(configMap.history, `data${keyOf(name)}`, value, text) }
  }
  const value = Object.hasOwn(DEFAULTS, name) ? DEFAULTS[name]! : ''
  const text = `${name} is not set; the default is ${value}`
  const fact = ingress === null ? null : field(ingress.history, path, null, text)
  return { value, from: 'default', fact }
}

function keyOf(name: string): string {
  return name.includes('.') ? `[${name}]` : `.${name}`
}

/** `20`, `20s`, `1m`, `500ms`, `1h`: seconds; null: something else. */
export function secondsOf(text: string): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)(ms|s|m|h|d)?\s*$/.exec(text)
  if (match === null) return null
  const factor = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 }[match[2] ?? 's']!
  return Number(match[1]) * factor
}
