/** What a certificate in PEM form says, as far as diagnosis asks. */

import { X509Certificate } from 'node:crypto'
import type { CertificateFacts } from './keptData.ts'

const NAMES_MAX = 200

/** Of a chain the first one: that is what a server shows. Never throws: what cannot be read says so in `error`. */
export function certificateFacts(pem: string): CertificateFacts {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pem)
  } catch (error) {
    return { error: `tls.crt is no certificate: ${error instanceof Error ? error.message : String(error)}` }
  }
  return {
    ...timeFact('notBefore', certificate.validFrom),
    ...timeFact('notAfter', certificate.validTo),
    sans: namesOf(certificate),
    issuer: certificate.issuer.split('\n').join(', ')
  }
}

/** `Aug 15 00:00:00 2025 GMT` → RFC 3339. */
function timeFact(key: 'notBefore' | 'notAfter', written: string): CertificateFacts {
  const ms = Date.parse(written)
  return Number.isNaN(ms) ? {} : { [key]: new Date(ms).toISOString().replace('.000Z', 'Z') }
}

/** The names it is for; the common name counts only where it names no others. */
function namesOf(certificate: X509Certificate): string[] {
  const names = [...(certificate.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map(name => name[1]!)
  if (names.length > 0) return names.slice(0, NAMES_MAX)
  const common = /^CN=(.+)$/m.exec(certificate.subject)
  return common ? [common[1]!] : []
}
