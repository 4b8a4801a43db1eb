/** A certificate authority of a test's own and one certificate for 127.0.0.1 and localhost from it, made by openssl. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ServerCertificate {
  /** What a client trusts. */
  caFile: string
  keyFile: string
  certFile: string
  /** Key and certificates in one file, as Kafka wants them. */
  keyStoreFile: string
}

const DAYS = '2'
const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export function makeServerCertificate(folder: string): ServerCertificate {
  const file = (name: string) => join(folder, name)
  const [caKey, caFile, keyFile, certFile] = [file('ca.key'), file('ca.crt'), file('server.key'), file('server.crt')]
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  openssl('req', '-x509', ...CURVE, '-days', DAYS, '-subj', '/CN=why5xx test CA', '-keyout', caKey, '-out', caFile)
  openssl('req', ...CURVE, '-subj', '/CN=localhost', '-keyout', keyFile, '-out', file('server.csr'))
  writeFileSync(file('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  const signing = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-extfile', file('names'), '-days', DAYS]
  openssl('x509', '-req', '-in', file('server.csr'), ...signing, '-out', certFile)
  const keyStoreFile = file('server.pem')
  writeFileSync(keyStoreFile, [keyFile, certFile, caFile].map(part => readFileSync(part, 'utf8')).join(''))
  return { caFile, keyFile, certFile, keyStoreFile }
}
