/** Certificates that the controller shows for a host, and those of backends: which Secret, until when, for which names. */

import type { Certificate, Secret } from '../cluster/objects.ts'
import { listOf } from './conditions.ts'
import type { Current } from './current.ts'
import { type Fact, field } from './fact.ts'
import { hostMatches } from './routing.ts'
import type { Scene } from './scene.ts'
import { timeOf } from './times.ts'

const NAMES_CITED = 20

export interface ServedCertificate {
  /** That the Ingress names the Secret. */
  fact: Fact
  /** null: the Ingress names none, and the default certificate is shown. */
  secretName: string | null
  namespace: string
  /** null: absent, or nobody may read it. */
  secret: Current<Secret> | null
  /** cert-manager's Certificates that write this Secret. */
  certificates: Current<Certificate>[]
}

/** By the `spec.tls` of the Ingress that names the host; null: none does. */
export function servedCertificate(scene: Scene): ServedCertificate | null {
  const { ingress, input } = scene
  if (ingress === null) return null
  const host = input.host ?? ''
  const entries = listOf(ingress.object.spec?.tls)
  const named = entries.find(({ hosts }) => listOf(hosts).some(name => hostMatches(name, host)))
  // Of one entry for all hosts, and of a failure whose host is not told.
  const entry =
    named ?? entries.find(({ hosts }) => listOf(hosts).length === 0) ?? (host === '' ? entries[0] : undefined)
  if (entry === undefined) return null
  const hosts = listOf(entry.hosts)
  const shown = hosts.find(name => hostMatches(name, host)) ?? hosts[0] ?? '*'
  const secretName = entry.secretName ?? null
  const text =
    secretName === null
      ? `the Ingress names no Secret for ${shown}: the default certificate is shown`
      : `the certificate of ${shown} is in Secret ${secretName}`
  const { namespace } = ingress.history
  return {
    fact: field(ingress.history, `spec.tls[${shown}].secretName`, secretName, text),
    secretName,
    namespace,
    secret: secretName === null ? null : scene.get('Secret', namespace, secretName),
    certificates: secretName === null ? [] : certificatesOf(scene, namespace, secretName)
  }
}

/** cert-manager's Certificates that write a Secret. */
export function certificatesOf(scene: Scene, namespace: string, secretName: string): Current<Certificate>[] {
  return scene.all('Certificate', namespace).filter(({ object }) => object.spec?.secretName === secretName)
}

/** What is known of its end, of the Secret first. */
export function endOf(secret: Current<Secret> | null, certificates: readonly Current<Certificate>[]): Dated | null {
  const text = secret?.object.certificate?.notAfter
  const atMs = timeOf(text)
  if (secret !== null && atMs !== null)
    return { atMs, fact: field(secret.history, 'tls.crt.notAfter', text, `its certificate ends at ${text}`, atMs) }
  for (const { history, object } of certificates) {
    const told = object.status?.notAfter
    const toldMs = timeOf(told)
    if (toldMs === null) continue
    return { atMs: toldMs, fact: field(history, 'status.notAfter', told, `the certificate ends at ${told}`, toldMs) }
  }
  return null
}

export interface Dated {
  atMs: number
  fact: Fact
}

/** The names that a certificate is for; null: not known. */
export function namesFact(secret: Current<Secret> | null): { names: readonly string[]; fact: Fact } | null {
  const names = secret?.object.certificate?.sans
  if (secret === null || names === undefined) return null
  const shown = listOf(names).slice(0, NAMES_CITED).join(',')
  return { names: listOf(names), fact: field(secret.history, 'tls.crt.sans', shown, `its certificate is for ${shown}`) }
}

/** A name covers a host; a wildcard stands for one label. */
export function covers(names: readonly string[], host: string): boolean {
  return names.some(name => name !== '' && hostMatches(name, host))
}
