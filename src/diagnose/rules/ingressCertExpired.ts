import { endOf, servedCertificate } from '../certificates.ts'
import { field, nameOf } from '../fact.ts'
import type { Rule } from '../rule.ts'
import { timeOf } from '../times.ts'

/** OpenSSL's words for the client's alert. */
const EXPIRED = /certificate (?:has )?expired|alert number 45\b/i

/** The certificate that is shown for the host had ended. */
export const ingressCertExpired: Rule = {
  cause: 'ingress_cert_expired',
  judge(scene) {
    const served = servedCertificate(scene)
    if (served === null || served.secretName === null) return null
    const { secret, certificates, namespace, secretName, fact } = served
    const begin = timeOf(secret?.object.certificate?.notBefore)
    if (secret !== null && begin !== null && !scene.moment.isPast(begin)) {
      // Renewed after T: what was issued later says nothing of the one before, the client does.
      if (!EXPIRED.test(scene.input.detail.error ?? '')) return null
      const text = 'the certificate was renewed only after the client had found the one before expired'
      const needs = [
        fact,
        field(secret.history, 'tls.crt.notBefore', secret.object.certificate!.notBefore, text, begin)
      ]
      return { tier: 'A', ref: nameOf(secret.history), atMs: null, needs, isInferred: true }
    }
    const end = endOf(secret, certificates)
    if (end === null) return null
    if (!scene.moment.isAfter(end.atMs))
      return { because: `the certificate in Secret ${namespace}/${secretName} was in date` }
    const other = secret === null ? null : endOf(null, certificates)
    return {
      tier: 'A',
      ref: secret === null ? nameOf(certificates[0]!.history) : nameOf(secret.history),
      atMs: end.atMs,
      needs: [fact, end.fact],
      supports: other === null || !scene.moment.isAfter(other.atMs) ? [] : [other.fact]
    }
  }
}
