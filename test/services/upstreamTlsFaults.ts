/** Faults between nginx and a backend that should speak TLS. */
import { at, type Fault, fails, type Lab } from './fault.ts'

const HANDSHAKE = /while SSL handshaking to upstream/

export function upstreamTlsFaults(lab: Lab): Fault[] {
  const tls = (name: string, more = '') => `proxy_pass https://up_${name}; proxy_ssl_server_name on; ${more}`
  // Without reuse: a session that another location has verified would pass the verification of this one.
  const verify = (file: string, more = '') =>
    tls(
      'application_tls',
      `proxy_ssl_session_reuse off; proxy_ssl_verify on; proxy_ssl_trusted_certificate ${file}; ${more}`
    )
  return [
    // Not the application's own port: nginx keeps idle connections by address alone, and would begin a handshake on a plain one.
    at('tls_to_plain', fails('upstream_tls_handshake', 502, HANDSHAKE), tls('tls_plain')),
    at(
      'tls_protocol',
      fails('upstream_tls_handshake', 502, HANDSHAKE),
      tls('application_tls13', 'proxy_ssl_protocols TLSv1.2;')
    ),
    at('tls_closed', fails('upstream_tls_handshake', 502, HANDSHAKE), tls('tls_close')),
    at('tls_reset', fails('upstream_tls_handshake', 502, HANDSHAKE), tls('tls_reset')),
    at(
      'tls_timeout',
      fails('upstream_tls_handshake', 504, /110: .*while SSL handshaking to upstream/),
      tls('tls_silent')
    ),
    at(
      'tls_verify',
      fails('upstream_tls_verify', 502, /certificate verify error/),
      verify(lab.strangerCertificate.certFile)
    ),
    at(
      'tls_name',
      fails('upstream_tls_verify', 502, /does not match/),
      verify(lab.certificate.certFile, 'proxy_ssl_name other.test;')
    )
  ]
}
