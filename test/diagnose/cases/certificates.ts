/** What a client is shown: `ingress_cert_expired`, `ingress_cert_fallback`, and when neither can be said. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { addCertificate, addTlsSecret, writeCertificate } from '../support/edgeObjects.ts'
import { DAY, HOUR } from '../support/moment.ts'

const ALERTS = {
  expired: 'ssl/tls alert certificate expired:SSL alert number 45',
  unknown: 'ssl/tls alert certificate unknown:SSL alert number 46',
  bad: 'ssl/tls alert bad certificate:SSL alert number 42',
  authority: 'tlsv1 alert unknown ca:SSL alert number 48'
}
const BOTH = ['ingress_cert_expired', 'ingress_cert_fallback']

/** The handshake with a client failed; `secretName` is what the Ingress names for the host. */
function tlsFails(shop: Shop, secretName: string, alert: keyof typeof ALERTS, host = `${shop.app}.example.com`): void {
  shop.ingress.spec.rules[0]!.host = host
  shop.ingress.spec.tls = [...(shop.ingress.spec.tls ?? []), { hosts: [host], secretName }]
  const error = `SSL_do_handshake() failed (SSL: error:0A000415:SSL routines::${ALERTS[alert]}) while SSL handshaking`
  shop.fails('client_tls_failure', null, { detail: { error } })
}

function names(shop: Shop, secretName: string): string {
  return `${ref(shop.ingress)} spec.tls.secretName=${secretName}`
}

export const CASES: DiagnosisCase[] = [
  shopCase('certificate-wildcard-expired', 'a certificate for all hosts ran out an hour ago', shop => {
    const secret = addTlsSecret(shop, 'wildcard', { notAfter: -HOUR, names: ['*.example.com'] })
    tlsFails(shop, 'wildcard', 'expired')
    return {
      root_cause: 'ingress_cert_expired',
      confidence_min: 0.85,
      must_cite: [`${ref(secret)} tls.crt.notAfter=${shop.at(-HOUR)}`, names(shop, 'wildcard')],
      must_not: ['ingress_cert_fallback', 'undetermined', 'upstream_cert_invalid']
    }
  }),

  shopCase('certificate-managed-expired', 'Secrets cannot be read; cert-manager tells that it ran out', shop => {
    const host = `${shop.app}.example.com`
    addTlsSecret(shop, 'shop-tls', { notAfter: -2 * DAY, names: [host] })
    const certificate = addCertificate(shop, 'shop-tls', { notAfter: -2 * DAY, names: [host] }, false)
    shop.unreadable = ['Secret']
    tlsFails(shop, 'shop-tls', 'expired')
    return {
      root_cause: 'ingress_cert_expired',
      must_cite: [`${ref(certificate)} status.notAfter=${shop.at(-2 * DAY)}`, names(shop, 'shop-tls')],
      must_not: ['ingress_cert_fallback', 'undetermined', `cite:Secret ${shop.namespace}/shop-tls`]
    }
  }),

  shopCase(
    'certificate-in-date',
    'it covers the host and runs out in ten minutes: the client does not trust it',
    shop => {
      const secret = addTlsSecret(shop, 'shop-tls', { notAfter: 600, names: [`${shop.app}.example.com`] })
      tlsFails(shop, 'shop-tls', 'authority')
      return { root_cause: 'undetermined', must_cite: [ref(shop.ingress), ref(secret)], must_not: BOTH }
    }
  ),

  shopCase(
    'certificate-expired-later',
    'it ran out ten minutes after the failure, and is expired now',
    shop => {
      const secret = addTlsSecret(shop, 'shop-tls', { notAfter: 600, names: [`${shop.app}.example.com`] })
      tlsFails(shop, 'shop-tls', 'unknown')
      return { root_cause: 'undetermined', must_cite: [ref(shop.ingress), ref(secret)], must_not: BOTH }
    },
    { now: HOUR }
  ),

  shopCase(
    'certificate-renewed-since',
    'it was renewed ten minutes after the failure',
    shop => {
      const host = [`${shop.app}.example.com`]
      const secret = addTlsSecret(shop, 'shop-tls', { notAfter: -300, names: host })
      shop.saw('ADDED', secret, -DAY)
      writeCertificate(shop, secret, { notAfter: 89 * DAY, names: host })
      shop.saw('MODIFIED', secret, 600)
      tlsFails(shop, 'shop-tls', 'expired')
      return {
        root_cause: 'ingress_cert_expired',
        must_cite: [`${ref(secret)} tls.crt.notAfter=${shop.at(-300)}`, names(shop, 'shop-tls')],
        must_not: ['ingress_cert_fallback', 'undetermined']
      }
    },
    { now: 900 }
  ),

  shopCase('certificate-absent', 'the Secret that the Ingress names is in another namespace only', shop => {
    const elsewhere = addTlsSecret(shop, 'shop-tls', { notAfter: 60 * DAY, names: ['*.example.com'] }, 'certificates')
    tlsFails(shop, 'shop-tls', 'bad')
    return {
      root_cause: 'ingress_cert_fallback',
      confidence_min: 0.85,
      must_cite: [names(shop, 'shop-tls'), `Secret ${shop.namespace}/shop-tls absent`],
      must_not: ['ingress_cert_expired', 'undetermined', `cite:${ref(elsewhere)}`]
    }
  }),

  // A needed fact that was not observable caps the candidate; that the Secret is absent must not be said.
  shopCase('certificate-unreadable', 'Secrets cannot be read, and there is no other word of the certificate', shop => {
    shop.unreadable = ['Secret', 'Certificate']
    tlsFails(shop, 'shop-tls', 'unknown')
    return {
      root_cause: 'ingress_cert_fallback',
      confidence_max: 0.45,
      acceptable: ['undetermined'],
      must_cite: [ref(shop.ingress)],
      must_not: ['ingress_cert_expired', `cite:Secret ${shop.namespace}/shop-tls absent`]
    }
  }),

  shopCase('certificate-two-labels', 'a wildcard stands for one label, the host has two', shop => {
    const secret = addTlsSecret(shop, 'wildcard', { notAfter: 60 * DAY, names: ['*.example.com', 'example.com'] })
    tlsFails(shop, 'wildcard', 'bad', `eu.${shop.app}.example.com`)
    return {
      root_cause: 'ingress_cert_fallback',
      must_cite: [`${ref(secret)} tls.crt.sans`, names(shop, 'wildcard')],
      must_not: ['ingress_cert_expired', 'undetermined']
    }
  }),

  shopCase('certificate-no-label', 'a wildcard does not stand for the domain itself', shop => {
    const secret = addTlsSecret(shop, 'wildcard', { notAfter: 60 * DAY, names: ['*.shop.example'] })
    tlsFails(shop, 'wildcard', 'unknown', 'shop.example')
    return {
      root_cause: 'ingress_cert_fallback',
      must_cite: [`${ref(secret)} tls.crt.sans`, names(shop, 'wildcard')],
      must_not: ['ingress_cert_expired', 'undetermined']
    }
  }),

  shopCase('certificate-broken', 'what stands in the Secret is no certificate', shop => {
    const secret = addTlsSecret(shop, 'shop-tls', 'to be filled in by the installer')
    tlsFails(shop, 'shop-tls', 'bad')
    return {
      root_cause: 'ingress_cert_fallback',
      must_cite: [ref(secret), names(shop, 'shop-tls')],
      must_not: ['ingress_cert_expired', 'undetermined']
    }
  }),

  shopCase('certificate-of-other-host', 'the Secret of another host is absent, that of this host is well', shop => {
    shop.ingress.spec.tls = [{ hosts: ['admin.example.com'], secretName: 'admin-tls' }]
    const secret = addTlsSecret(shop, 'shop-tls', { notAfter: 60 * DAY, names: ['*.example.com'] })
    tlsFails(shop, 'shop-tls', 'authority')
    return {
      root_cause: 'undetermined',
      must_cite: [ref(shop.ingress), ref(secret)],
      must_not: [...BOTH, `cite:Secret ${shop.namespace}/admin-tls absent`]
    }
  }),

  shopCase('certificate-by-host', 'nothing but the host is known of the failure', shop => {
    const secret = addTlsSecret(shop, 'shop-tls', { notAfter: -60, names: [`${shop.app}.example.com`] })
    tlsFails(shop, 'shop-tls', 'expired')
    Object.assign(shop.failure!, { namespace: null, service: null, port: null, ingress: null, path: null })
    return {
      root_cause: 'ingress_cert_expired',
      must_cite: [`${ref(secret)} tls.crt.notAfter=${shop.at(-60)}`, names(shop, 'shop-tls')],
      must_not: ['ingress_cert_fallback', 'undetermined']
    }
  }),

  shopCase('certificate-of-wildcard-entry', 'the entry is for all hosts of a domain', shop => {
    const secret = addTlsSecret(shop, 'wildcard', { notAfter: -DAY, names: ['*.example.com'] })
    tlsFails(shop, 'wildcard', 'expired')
    shop.ingress.spec.tls![0]!.hosts = ['*.example.com']
    return {
      root_cause: 'ingress_cert_expired',
      must_cite: [`${ref(secret)} tls.crt.notAfter`, names(shop, 'wildcard')],
      must_not: ['ingress_cert_fallback', 'undetermined']
    }
  }),

  shopCase('certificate-managed-in-date', 'Secrets cannot be read; cert-manager tells that all is well', shop => {
    const host = `${shop.app}.example.com`
    const certificate = addCertificate(shop, 'shop-tls', { notAfter: 60, names: [host] })
    shop.unreadable = ['Secret']
    tlsFails(shop, 'shop-tls', 'authority')
    return {
      root_cause: 'undetermined',
      must_cite: [ref(shop.ingress), ref(certificate)],
      must_not: ['ingress_cert_expired', 'ingress_cert_fallback', `cite:Secret ${shop.namespace}/shop-tls absent`]
    }
  })
]
