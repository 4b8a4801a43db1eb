import { endOf, servedCertificate } from '../certificates.ts'
import { nameOf } from '../fact.ts'
import type { Rule } from '../rule.ts'

/** The certificate that is shown for the host had ended. */
export const ingressCertExpired: Rule = {
  cause: 'ingress_cert_expired',
  judge(scene) {
    const served = servedCertificate(scene)
    if (served === null || served.secretName === null) return null
    const { secret, certificates, namespace, secretName, fact } = served
    // Renewed after T: the version that stood at T is not known, what was issued later says nothing of it.
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
