/** What is spoken to the backend: `backend_protocol_mismatch`, `upstream_cert_invalid`, `upstream_tls_config`. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { addCertificate, addTlsSecret, annotate, annotation } from '../support/edgeObjects.ts'
import { DAY } from '../support/moment.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
/** All that is said of the server says TLS. */
const TLS_APP = {
  service: { ports: [{ name: 'https', port: 80, protocol: 'TCP', targetPort: 8443 }] },
  containers: [
    webContainer('app', {
      ports: [{ name: 'https', containerPort: 8443, protocol: 'TCP' }],
      readinessProbe: { httpGet: { path: '/ready', port: 'https', scheme: 'HTTPS' }, periodSeconds: 10 }
    })
  ]
}
/** Nothing is said of what it speaks. */
const SILENT_APP = {
  containers: [
    webContainer('app', {
      ports: [{ name: 'main', containerPort: 8080, protocol: 'TCP' }],
      readinessProbe: { exec: { command: ['/ready'] }, periodSeconds: 10 }
    })
  ]
}
const PROTOCOL = annotation('backend-protocol')
const TLS = { routine: 'SSL_do_handshake() failed (SSL: error:', phase: ') while SSL handshaking to upstream' }
const WRONG_VERSION = `${TLS.routine}0A00010B:SSL routines::wrong version number${TLS.phase}`
const NO_HTTP = 'upstream sent no valid HTTP/1.0 header while reading response header from upstream'

function alert(code: string, text: string, number: number): { error: string } {
  return { error: `${TLS.routine}${code}:SSL routines::${text}:SSL alert number ${number}${TLS.phase}` }
}

/** The controller checks the backend's certificate, which the container has from a Secret. */
function isVerified(shop: Shop, changes: Record<string, string> = {}): string {
  annotate(shop.ingress, {
    'backend-protocol': 'HTTPS',
    'proxy-ssl-verify': 'on',
    'proxy-ssl-secret': `${shop.namespace}/backend-ca`,
    ...changes
  })
  const secretName = `${shop.app}-serving`
  for (const pod of shop.pods) {
    pod.spec.volumes = [{ name: 'serving', secret: { secretName } }]
    pod.spec.containers[0]!.volumeMounts = [{ name: 'serving', mountPath: '/etc/tls' }]
  }
  addTlsSecret(shop, 'backend-ca', { notAfter: 900 * DAY, names: ['ca.example.com'] })
  return secretName
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'protocol-grpcs-to-plain',
    'TLS is spoken to a server that knows plain HTTP/2',
    shop => {
      annotate(shop.ingress, { 'backend-protocol': 'GRPCS' })
      shop.fails('upstream_tls_handshake', shop.pods[0], { detail: { error: WRONG_VERSION } })
      return {
        root_cause: 'backend_protocol_mismatch',
        confidence_min: 0.85,
        must_cite: [`${ref(shop.ingress)} annotations[${PROTOCOL}]=GRPCS`],
        must_not: ['upstream_tls_config', 'upstream_cert_invalid', 'undetermined']
      }
    },
    APP
  ),

  shopCase(
    'protocol-400',
    'a server with TLS tells plain HTTP so; its probe speaks HTTPS',
    shop => {
      const [pod] = shop.pods
      shop.fails('upstream_error', pod, {
        status: 400,
        detail: {
          upstream_status: '400',
          upstream_response_time: '0.002',
          body_hint: 'Client sent an HTTP request to an HTTPS server.'
        }
      })
      return {
        root_cause: 'backend_protocol_mismatch',
        must_cite: [`${ref(pod)} readinessProbe.httpGet.scheme=HTTPS`, ref(shop.ingress)],
        must_not: ['app_error', 'dependency_down', 'app_invalid_response']
      }
    },
    {
      containers: [
        webContainer('app', {
          readinessProbe: { httpGet: { path: '/ready', port: 8080, scheme: 'HTTPS' }, periodSeconds: 10 }
        })
      ]
    }
  ),

  shopCase(
    'protocol-grpc-port',
    'a port named grpc behind an Ingress without an annotation',
    shop => {
      const [pod] = shop.pods
      shop.fails('invalid_response', pod, { detail: { error: NO_HTTP } })
      return {
        root_cause: 'backend_protocol_mismatch',
        must_cite: [`${ref(pod)} spec.containers.ports`, ref(shop.ingress)],
        must_not: ['app_invalid_response']
      }
    },
    {
      service: { ports: [{ name: 'main', port: 80, protocol: 'TCP', targetPort: 8080 }] },
      containers: [
        webContainer('app', {
          ports: [{ name: 'grpc', containerPort: 8080, protocol: 'TCP' }],
          readinessProbe: { exec: { command: ['/ready'] }, periodSeconds: 10 }
        })
      ]
    }
  ),

  shopCase(
    'protocol-frame',
    'HTTP/2 frames are asked for, the server speaks HTTP/1.1',
    shop => {
      annotate(shop.ingress, { 'backend-protocol': 'GRPC' })
      const error = 'upstream sent too large http2 frame: 4740180 while reading response header from upstream'
      shop.fails('invalid_response', shop.pods[0], { detail: { error } })
      return {
        root_cause: 'backend_protocol_mismatch',
        must_cite: [`${ref(shop.ingress)} annotations[${PROTOCOL}]=GRPC`],
        must_not: ['app_invalid_response', 'proxy_buffer_too_small']
      }
    },
    APP
  ),

  shopCase(
    'protocol-hung-up',
    'a server with TLS hangs up on plain HTTP',
    shop => {
      shop.service.spec.ports[0]!.appProtocol = 'https'
      shop.fails('premature_close', shop.pods[0], { detail: { method: 'GET', upstream_response_time: '0.300' } })
      return {
        root_cause: 'backend_protocol_mismatch',
        must_cite: [`${ref(shop.service)} appProtocol=https`],
        must_not: ['keepalive_mismatch', 'app_crash', 'undetermined']
      }
    },
    SILENT_APP
  ),

  shopCase(
    'protocol-and-crash',
    'the Service says https, but the server was killed in that second',
    shop => {
      const [pod] = shop.pods
      shop.service.spec.ports[0]!.appProtocol = 'https'
      shop.restarts(pod, { reason: 'OOMKilled', exitCode: 137, at: 0, up: 2, ready: 14 })
      shop.fails('premature_close', pod, { detail: { method: 'GET', upstream_response_time: '2.300' } })
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['keepalive_mismatch', 'app_crash']
      }
    },
    APP
  ),

  shopCase(
    'protocol-agreed-alert',
    'all say TLS, and the server answered with an alert',
    shop => {
      annotate(shop.ingress, { 'backend-protocol': 'HTTPS' })
      shop.service.spec.ports[0]!.appProtocol = 'https'
      const detail = alert('0A000410', 'sslv3 alert handshake failure', 40)
      shop.fails('upstream_tls_handshake', shop.pods[0], { detail })
      return {
        root_cause: 'upstream_tls_config',
        must_cite: [`${ref(shop.ingress)} annotations[${PROTOCOL}]=HTTPS`],
        must_not: ['backend_protocol_mismatch', 'upstream_cert_invalid']
      }
    },
    TLS_APP
  ),

  shopCase(
    'handshake-name',
    'the server knows several names and is told none',
    shop => {
      annotate(shop.ingress, { 'backend-protocol': 'HTTPS' })
      const detail = alert('0A000458', 'tlsv1 unrecognized name', 112)
      shop.fails('upstream_tls_handshake', shop.pods[0], { detail })
      return {
        root_cause: 'upstream_tls_config',
        confidence_max: 0.84,
        must_cite: [`${ref(shop.ingress)} annotations[${PROTOCOL}]=HTTPS`],
        must_not: ['backend_protocol_mismatch', 'upstream_cert_invalid', 'undetermined']
      }
    },
    TLS_APP
  ),

  shopCase(
    'handshake-version',
    'the Ingress allows TLS 1.0 alone',
    shop => {
      annotate(shop.ingress, {
        'backend-protocol': 'HTTPS',
        'proxy-ssl-secret': `${shop.namespace}/backend-ca`,
        'proxy-ssl-protocols': 'TLSv1',
        'proxy-ssl-server-name': 'on'
      })
      addTlsSecret(shop, 'backend-ca', { notAfter: 900 * DAY, names: ['ca.example.com'] })
      const detail = alert('0A00042E', 'tlsv1 alert protocol version', 70)
      shop.fails('upstream_tls_handshake', shop.pods[0], { detail })
      return {
        root_cause: 'upstream_tls_config',
        must_cite: [`${ref(shop.ingress)} annotations[${annotation('proxy-ssl-protocols')}]=TLSv1`],
        must_not: ['backend_protocol_mismatch', 'upstream_cert_invalid']
      }
    },
    TLS_APP
  ),

  shopCase(
    'handshake-client-certificate',
    'the server wants a certificate of the controller, which has none',
    shop => {
      annotate(shop.ingress, { 'backend-protocol': 'GRPCS', 'proxy-ssl-server-name': 'on' })
      const error =
        'SSL_read() failed (SSL: error:0A00045C:SSL routines::tlsv13 alert certificate required:SSL alert number 116) while reading response header from upstream'
      shop.fails('upstream_tls_handshake', shop.pods[0], { detail: { error } })
      return {
        root_cause: 'upstream_tls_config',
        must_cite: [`${ref(shop.ingress)} annotations[${PROTOCOL}]=GRPCS`],
        must_not: ['backend_protocol_mismatch', 'upstream_cert_invalid']
      }
    },
    TLS_APP
  ),

  shopCase(
    'backend-certificate-expired',
    "the backend's certificate ran out two days before",
    shop => {
      const name = isVerified(shop)
      const secret = addTlsSecret(shop, name, { notAfter: -2 * DAY, names: [`${shop.app}.internal`] })
      const error = `upstream SSL certificate verify error: (10:certificate has expired) while SSL handshaking to upstream`
      shop.fails('upstream_tls_verify', shop.pods[0], { detail: { error } })
      return {
        root_cause: 'upstream_cert_invalid',
        confidence_min: 0.85,
        must_cite: [
          `${ref(secret)} tls.crt.notAfter`,
          `${ref(shop.ingress)} annotations[${annotation('proxy-ssl-verify')}]=on`
        ],
        must_not: ['upstream_tls_config', 'backend_protocol_mismatch', 'ingress_cert_expired']
      }
    },
    TLS_APP
  ),

  shopCase(
    'backend-certificate-name',
    'the certificate is for another name than the one that is asked for',
    shop => {
      const expected = `${shop.app}.${shop.namespace}.svc`
      const name = isVerified(shop, { 'proxy-ssl-name': expected })
      const secret = addTlsSecret(shop, name, { notAfter: 60 * DAY, names: [`${shop.app}.internal`] })
      const error = `upstream SSL certificate does not match "${expected}" while SSL handshaking to upstream`
      shop.fails('upstream_tls_verify', shop.pods[0], { detail: { error } })
      return {
        root_cause: 'upstream_cert_invalid',
        confidence_min: 0.85,
        must_cite: [
          `${ref(secret)} tls.crt.sans`,
          `${ref(shop.ingress)} annotations[${annotation('proxy-ssl-name')}]=${expected}`
        ],
        must_not: ['upstream_tls_config', 'backend_protocol_mismatch', 'ingress_cert_fallback']
      }
    },
    TLS_APP
  ),

  shopCase(
    'backend-certificate-unseen',
    'nobody known has issued it; no certificate could be read',
    shop => {
      isVerified(shop)
      shop.unreadable = ['Secret', 'Certificate']
      const error =
        'upstream SSL certificate verify error: (20:unable to get local issuer certificate) while SSL handshaking to upstream'
      shop.fails('upstream_tls_verify', shop.pods[0], { detail: { error } })
      return {
        root_cause: 'upstream_cert_invalid',
        confidence_max: 0.84,
        must_cite: [`${ref(shop.ingress)} annotations[${annotation('proxy-ssl-verify')}]=on`],
        must_not: ['upstream_tls_config', 'ingress_annotation_denied', 'backend_protocol_mismatch']
      }
    },
    TLS_APP
  ),

  shopCase(
    'backend-certificate-managed',
    'Secrets cannot be read; cert-manager tells when it ran out',
    shop => {
      const name = isVerified(shop)
      const certificate = addCertificate(shop, name, { notAfter: -3600, names: [`${shop.app}.internal`] }, false)
      shop.unreadable = ['Secret']
      const error = `upstream SSL certificate verify error: (10:certificate has expired) while SSL handshaking to upstream`
      shop.fails('upstream_tls_verify', shop.pods[0], { detail: { error } })
      return {
        root_cause: 'upstream_cert_invalid',
        must_cite: [
          `${ref(certificate)} status.notAfter`,
          `${ref(shop.ingress)} annotations[${annotation('proxy-ssl-verify')}]=on`
        ],
        must_not: ['upstream_tls_config', 'ingress_cert_expired']
      }
    },
    TLS_APP
  )
]
