/** Protocols and certificates, of backends and of hosts. */

import { ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { addObject, annotate, annotationCite, testCases } from '../support/edgeCases.ts'

const WRONG_VERSION =
  'SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream'

function alert(number: number, text: string): string {
  return `SSL_do_handshake() failed (SSL: error:0A000410:SSL routines::${text}:SSL alert number ${number}) while SSL handshaking to upstream`
}

testCases('backend_protocol_mismatch and upstream_tls_config', [
  shopCase('tls-to-plain', 'TLS to a server of plain HTTP', shop => {
    annotate(shop, { 'backend-protocol': 'HTTPS' })
    shop.fails('upstream_tls_handshake', shop.pods[0], { detail: { error: WRONG_VERSION } })
    return {
      root_cause: 'backend_protocol_mismatch',
      must_cite: [`${annotationCite(shop, 'backend-protocol')}=HTTPS`],
      must_not: ['upstream_tls_config', 'upstream_cert_invalid']
    }
  }),
  shopCase(
    'plain-to-tls',
    'plain HTTP to a server of TLS, told by its port and probe alone',
    shop => {
      shop.service.spec.ports[0] = { name: 'https', port: 443, protocol: 'TCP', targetPort: 8443 }
      shop.fails('premature_close', shop.pods[0])
      return {
        root_cause: 'backend_protocol_mismatch',
        must_cite: [annotationCite(shop, 'backend-protocol'), `${ref(shop.service)} spec.ports.name=https`],
        must_not: ['keepalive_mismatch']
      }
    },
    {
      web: {
        ports: [{ name: 'https', containerPort: 8443 }],
        readinessProbe: { httpGet: { path: '/ready', port: 'https', scheme: 'HTTPS' } }
      }
    }
  ),
  shopCase('plain-400', 'the server says so in its 400', shop => {
    const hint = 'Client sent an HTTP request to an HTTPS server.'
    shop.fails('upstream_error', shop.pods[0], { status: 400, detail: { upstream_status: '400', body_hint: hint } })
    return { root_cause: 'backend_protocol_mismatch', must_cite: [annotationCite(shop, 'backend-protocol')] }
  }),
  shopCase('closed', 'nothing hints at another protocol', shop => {
    shop.fails('premature_close', shop.pods[0])
    return { root_cause: 'undetermined', must_not: ['backend_protocol_mismatch'] }
  }),
  shopCase('no-sni', 'an alert: the backend speaks TLS, and wants a server name', shop => {
    annotate(shop, { 'backend-protocol': 'HTTPS' })
    shop.fails('upstream_tls_handshake', shop.pods[0], { detail: { error: alert(112, 'tlsv1 unrecognized name') } })
    return {
      root_cause: 'upstream_tls_config',
      must_cite: [`${annotationCite(shop, 'backend-protocol')}=HTTPS`, annotationCite(shop, 'proxy-ssl-server-name')],
      must_not: ['backend_protocol_mismatch']
    }
  })
])

/** The shop's pods serve with the certificate of a Secret. */
function servesWith(shop: Shop, certificate: object): void {
  for (const pod of shop.pods) {
    pod.spec.volumes = [{ name: 'tls', secret: { secretName: 'serving' } }]
    pod.spec.containers[0]!.volumeMounts = [{ name: 'tls', mountPath: '/tls' }]
  }
  addObject(shop, 'Secret', shop.namespace, 'serving', { type: 'kubernetes.io/tls', certificate })
}

function verifies(shop: Shop): void {
  const secret = `${shop.namespace}/ca`
  annotate(shop, { 'backend-protocol': 'HTTPS', 'proxy-ssl-verify': 'on', 'proxy-ssl-secret': secret })
}

testCases('upstream_cert_invalid', [
  shopCase('uv-expired', 'the certificate that the backend mounts has ended', shop => {
    verifies(shop)
    servesWith(shop, { notAfter: shop.at(-3600), sans: ['cart.internal'] })
    const error =
      'upstream SSL certificate verify error: (10:certificate has expired) while SSL handshaking to upstream'
    shop.fails('upstream_tls_verify', shop.pods[0], { detail: { error } })
    return {
      root_cause: 'upstream_cert_invalid',
      must_cite: [
        `${annotationCite(shop, 'proxy-ssl-verify')}=on`,
        `Secret ${shop.namespace}/serving tls.crt.notAfter`
      ],
      confidence_min: 0.85
    }
  }),
  shopCase('uv-name', 'another name than the one that is compared', shop => {
    verifies(shop)
    annotate(shop, { 'proxy-ssl-name': 'cart.example.com' })
    servesWith(shop, { notAfter: shop.at(864_000), sans: ['cart.internal'] })
    const error = 'upstream SSL certificate does not match "cart.example.com" while SSL handshaking to upstream'
    shop.fails('upstream_tls_verify', shop.pods[0], { detail: { error } })
    return {
      root_cause: 'upstream_cert_invalid',
      must_cite: [
        `${annotationCite(shop, 'proxy-ssl-name')}=cart.example.com`,
        `Secret ${shop.namespace}/serving tls.crt.sans~cart.internal`
      ]
    }
  }),
  shopCase('uv-unread', 'without the certificate it is less sure', shop => {
    verifies(shop)
    const error = 'upstream SSL certificate verify error: (20:unable to get local issuer certificate)'
    shop.fails('upstream_tls_verify', shop.pods[0], { detail: { error } })
    return {
      root_cause: 'upstream_cert_invalid',
      must_cite: [annotationCite(shop, 'proxy-ssl-secret')],
      confidence_max: 0.8
    }
  })
])

const CLIENT_ALERT =
  'SSL_do_handshake() failed (SSL: error:0A000416:SSL routines::ssl/tls alert certificate unknown:SSL alert number 46) while SSL handshaking'

function hostTls(shop: Shop): void {
  const host = shop.ingress.spec.rules[0]!.host!
  shop.ingress.spec.tls = [{ hosts: [host], secretName: 'host-tls' }]
  shop.fails('client_tls_failure', null, { detail: { error: CLIENT_ALERT } })
}

testCases('ingress_cert_expired and ingress_cert_fallback', [
  shopCase('cl-cert-manager', 'the Secret is unread, cert-manager tells the date', shop => {
    hostTls(shop)
    addObject(shop, 'Certificate', shop.namespace, 'host', {
      spec: { secretName: 'host-tls' },
      status: { notAfter: shop.at(-60) }
    })
    addObject(shop, 'Secret', shop.namespace, 'host-tls', { type: 'kubernetes.io/tls' })
    return {
      root_cause: 'ingress_cert_expired',
      must_cite: [
        `${ref(shop.ingress)} spec.tls.secretName=host-tls`,
        `Certificate ${shop.namespace}/host status.notAfter`
      ],
      must_not: ['ingress_cert_fallback']
    }
  }),
  shopCase('cl-absent', 'the Secret is not there', shop => {
    hostTls(shop)
    return {
      root_cause: 'ingress_cert_fallback',
      must_cite: [`${ref(shop.ingress)} spec.tls.secretName=host-tls`, `Secret ${shop.namespace}/host-tls absent`],
      must_not: ['ingress_cert_expired']
    }
  }),
  shopCase('cl-names', 'a wildcard for one label less', shop => {
    hostTls(shop)
    shop.failure!.host = 'a.b.example.com'
    shop.ingress.spec.tls = [{ hosts: ['a.b.example.com'], secretName: 'host-tls' }]
    addObject(shop, 'Secret', shop.namespace, 'host-tls', {
      certificate: { notAfter: shop.at(86_400), sans: ['*.example.com'] }
    })
    return {
      root_cause: 'ingress_cert_fallback',
      must_cite: [`Secret ${shop.namespace}/host-tls tls.crt.sans=*.example.com`]
    }
  }),
  shopCase('cl-fine', 'the certificate is fine: the client does not want it', shop => {
    hostTls(shop)
    const host = shop.ingress.spec.rules[0]!.host!
    addObject(shop, 'Secret', shop.namespace, 'host-tls', { certificate: { notAfter: shop.at(86_400), sans: [host] } })
    return {
      root_cause: 'undetermined',
      must_cite: [
        `${ref(shop.ingress)} spec.tls.secretName=host-tls`,
        `Secret ${shop.namespace}/host-tls tls.crt.notAfter`
      ],
      must_not: ['ingress_cert_fallback', 'ingress_cert_expired']
    }
  })
])
