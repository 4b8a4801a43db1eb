import { covers, endOf, namesFact, servedCertificate } from '../certificates.ts'
import { field, nameOf } from '../fact.ts'
import type { Finding, Rule } from '../rule.ts'

/** What a client says of a certificate that it does not like, in OpenSSL's words for its alert. */
const ABOUT_CERTIFICATE =
  /alert (?:bad certificate|unsupported certificate|certificate|unknown ca)|alert number 4[2-8]\b/i

/** No usable certificate for the host: the controller shows its default one. */
export const ingressCertFallback: Rule = {
  cause: 'ingress_cert_fallback',
  judge(scene) {
    const served = servedCertificate(scene)
    const { ingress, input } = scene
    if (ingress === null) return null
    if (served === null || served.secretName === null) {
      if (!ABOUT_CERTIFICATE.test(input.detail.error ?? '') || input.host === null) return null
      const text = `the Ingress has no certificate for ${input.host}: the default one is shown`
      const fact = served?.fact ?? field(ingress.history, 'spec.tls', null, text)
      return { tier: 'B', ref: nameOf(ingress.history), atMs: null, needs: [fact] }
    }
    const { namespace, secretName, secret, fact } = served
    const found = (needs: Finding['needs'], isUnobserved = false): Finding => ({
      tier: 'A',
      ref: secret === null ? nameOf(ingress.history) : nameOf(secret.history),
      atMs: null,
      needs: [fact, ...needs],
      isUnobserved
    })
    if (secret === null) {
      // What cert-manager says of it stands for a Secret that nobody may read.
      const end = endOf(null, served.certificates)
      if (end !== null && !scene.isObservable('Secret', namespace))
        return scene.moment.isAfter(end.atMs)
          ? null
          : { because: `the Certificate of Secret ${namespace}/${secretName} was in date` }
      const text = `no Secret ${namespace}/${secretName} was there: the default certificate is shown`
      const missing = scene.absence('Secret', namespace, secretName, text)
      return missing === null ? null : found([missing.fact], !missing.isCertain)
    }
    const { certificate, keys } = secret.object
    if (certificate?.error !== undefined) {
      const text = 'its tls.crt is no certificate: the default one is shown'
      return found([field(secret.history, 'tls.crt', certificate.error, text)])
    }
    const isEmpty = keys !== undefined && !keys.includes('tls.crt')
    if (isEmpty && certificate === undefined)
      return found([field(secret.history, 'data[tls.crt]', null, 'it holds no certificate: the default one is shown')])
    const names = namesFact(secret)
    if (names === null || input.host === null) return null
    if (!covers(names.names, input.host)) return found([names.fact])
    const end = endOf(secret, [])
    const isInDate = end === null || !scene.moment.isAfter(end.atMs)
    return isInDate ? { because: `Secret ${namespace}/${secretName} covers ${input.host} and was in date` } : null
  }
}
