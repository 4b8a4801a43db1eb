/** What is kept of ConfigMaps and Secrets: of Secrets the names of their entries and what a certificate says, never a value. */

import { CONTROLLER_SETTINGS } from './controllerSettings.ts'
import { type Field, fields, isRecord, list, mapOf, message, ownField, text, time } from './fieldShape.ts'
import { keptSetting, keptValue } from './keptValue.ts'
import type { ConfigMap, Metadata, Secret } from './objects.ts'

export type CertificateFacts = NonNullable<Secret['certificate']>

const ENTRIES_MAX = 200
/** A chain of certificates is a few thousand characters long. */
const CERTIFICATE_MAX = 100_000
const KEPT_SETTINGS: ReadonlySet<string> = new Set(CONTROLLER_SETTINGS)
/** No secret under any name. */
const SWITCH = /^(?:true|false)$/
const CONTROLLER_NAMES = new Set(['nginx-configuration', 'nginx-load-balancer-conf', 'nginx-ingress-controller'])

export const SECRET: { readonly [Key in keyof Required<Omit<Secret, 'kind' | 'metadata'>>]: Field } = {
  type: text,
  certificate: fields<CertificateFacts>({
    notBefore: time,
    notAfter: time,
    sans: list(text),
    issuer: text,
    error: message
  }),
  keys: list(text, ENTRIES_MAX)
}

export const CONFIG_MAP: { readonly [Key in keyof Required<Omit<ConfigMap, 'kind' | 'metadata'>>]: Field } = {
  data: mapOf(text => text, ENTRIES_MAX)
}

/** The controller's settings that somebody reads; of others only values that are plainly harmless. `***` for the rest. */
export function keptConfigMap(raw: Record<string, unknown>, metadata: Metadata): { data?: Record<string, string> } {
  const data = ownField(raw, 'data')
  if (!isRecord(data)) return {}
  const isController =
    metadata.name.includes('ingress-nginx') ||
    CONTROLLER_NAMES.has(metadata.name) ||
    ownField(metadata.labels, 'app.kubernetes.io/name') === 'ingress-nginx'
  const kept: Record<string, string> = {}
  for (const key of Object.keys(data).slice(0, ENTRIES_MAX)) {
    const value = data[key]
    if (key === '__proto__' || typeof value !== 'string') continue
    if (!isController) kept[key] = keptValue(key, value) ?? '***'
    else kept[key] = KEPT_SETTINGS.has(key) || SWITCH.test(value) ? keptSetting(key, value) : '***'
  }
  return { data: kept }
}

/** `data` is read here and goes no further. */
export function keptSecret(
  raw: Record<string, unknown>,
  certificateFacts: ((pem: string) => CertificateFacts) | undefined
): { type?: unknown; certificate?: unknown; keys?: unknown } {
  const data = ownField(raw, 'data') ?? ownField(raw, 'stringData')
  const type = ownField(raw, 'type')
  if (!isRecord(data)) return { type, certificate: ownField(raw, 'certificate'), keys: ownField(raw, 'keys') }
  const entry = ownField(data, 'tls.crt')
  const certificate =
    typeof entry === 'string' && certificateFacts !== undefined ? factsOf(entry, certificateFacts) : undefined
  return { type, keys: Object.keys(data), certificate }
}

function factsOf(entry: string, certificateFacts: (pem: string) => CertificateFacts): CertificateFacts {
  if (entry.length > CERTIFICATE_MAX) return { error: `tls.crt has more than ${CERTIFICATE_MAX} characters` }
  if (entry.includes('-----BEGIN')) return certificateFacts(entry)
  try {
    return certificateFacts(atob(entry))
  } catch {
    return { error: 'tls.crt is not base64' }
  }
}
