/** Protocols and certificates, towards the backend and towards the client. */

import { aside } from '../told.ts'
import type { Entry } from './entry.ts'

const INGRESS = 'kubectl -n $NS get ingress $ING -o yaml'
const SHOWN =
  'openssl s_client -connect $HOST:443 -servername $HOST </dev/null | openssl x509 -noout -dates -subject -issuer -ext subjectAltName'

export const TLS_ENTRIES = {
  backend_protocol_mismatch: {
    title: 'nginx and the backend speak different protocols',
    meaning:
      'The annotation backend-protocol of the Ingress (HTTP when it is not set) is not what the backend speaks: one side sends TLS or HTTP/2, the other expects plain HTTP, or the reverse.',
    severity: 'S1',
    advice: 'set backend-protocol to what the backend speaks',
    say: told => {
      const spoken = told.annotation('backend-protocol') ?? told.value('data.backend-protocol') ?? 'HTTP'
      return `nginx speaks ${spoken} to the backend of ${told.ingress}, which speaks something else`
    },
    check: [
      INGRESS,
      'kubectl -n $NS port-forward $POD 9999:$PORT',
      'curl -skv https://localhost:9999/',
      'curl -sv http://localhost:9999/'
    ],
    fix: ['Set nginx.ingress.kubernetes.io/backend-protocol to HTTP, HTTPS, GRPC or GRPCS, as the backend speaks']
  },
  upstream_cert_invalid: {
    title: "the backend's certificate fails verification",
    meaning:
      'proxy-ssl-verify is on, and the certificate of the backend has expired, was issued by somebody that is not trusted, or is for another name.',
    severity: 'S1',
    advice: 'renew the certificate, or mend name and CA',
    say: told => {
      const end = told.value('notAfter')
      return `the certificate of ${told.pod} fails verification${aside(end, 'it ends at ')}`
    },
    check: [
      'kubectl -n $NS port-forward $POD 9999:$PORT',
      'openssl s_client -connect localhost:9999 </dev/null | openssl x509 -noout -dates -issuer -ext subjectAltName',
      INGRESS
    ],
    fix: [
      'Renew the certificate',
      'nginx.ingress.kubernetes.io/proxy-ssl-name: a name that is in the certificate',
      'Put the CA into the Secret of nginx.ingress.kubernetes.io/proxy-ssl-secret'
    ]
  },
  upstream_tls_config: {
    title: 'the TLS handshake with the backend does not fit',
    meaning:
      'The backend answered the handshake with an alert: it wants a server name, other protocol versions or ciphers, or a client certificate.',
    severity: 'S1',
    advice: 'turn on proxy-ssl-server-name, check protocols and client certificate',
    say: told => {
      const unset = told.annotated
      const set =
        unset === null || unset.name === 'backend-protocol' ? null : `${unset.name} ${unset.value ?? 'is not set'}`
      return `the backend of ${told.ingress} refuses the TLS handshake${aside(set)}`
    },
    check: ['openssl s_client -connect $ADDRESS:$PORT -servername $HOST -tls1_2 </dev/null', INGRESS],
    fix: [
      'nginx.ingress.kubernetes.io/proxy-ssl-server-name: "on", with proxy-ssl-name',
      'nginx.ingress.kubernetes.io/proxy-ssl-protocols: TLSv1.2 TLSv1.3',
      'A client certificate in the Secret of proxy-ssl-secret: without that annotation all other proxy-ssl-* are ignored'
    ]
  },
  ingress_cert_expired: {
    title: "the site's certificate has expired",
    meaning:
      'The certificate that the controller shows for the host had expired at that moment, so that clients end the handshake.',
    severity: 'S1',
    advice: 'renew the certificate, repair its issuer',
    say: told => `the certificate in ${told.ref} had expired${aside(told.value('notAfter'))}`,
    check: [SHOWN, 'kubectl -n $NS get certificate', 'kubectl -n $NS describe certificate'],
    fix: ['Renew it', 'With cert-manager: repair the issuer, or the ACME challenge that fails']
  },
  ingress_cert_fallback: {
    title: 'the default certificate is shown',
    meaning:
      'The Secret with the certificate of the host is missing, cannot be read as one, or is for other names. The controller shows its own self-signed certificate instead, and clients end the handshake.',
    severity: 'S1',
    advice: 'create the TLS Secret in the namespace of the Ingress',
    say: told => {
      const { missing } = told
      if (missing !== null)
        return `Secret ${missing.namespace}/${missing.name} of ${told.ingress} is not there: the default certificate is shown`
      const names = told.value('sans')
      return told.isOf('Secret')
        ? `the certificate in ${told.ref} is not usable for the host${aside(names, 'it is for ')}`
        : `${told.ref} has no certificate for the host: the default one is shown`
    },
    check: [SHOWN, 'kubectl -n $NS get secret --field-selector=type=kubernetes.io/tls', INGRESS],
    fix: [
      'Create the Secret in the namespace of the Ingress: kubectl create secret tls',
      'Its certificate must name the host; a wildcard covers one label'
    ]
  }
} satisfies Record<string, Entry>
