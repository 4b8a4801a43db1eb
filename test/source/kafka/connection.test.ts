import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { KafkaConfig } from '../../../src/clusterOptions.ts'
import { kafkaConnection } from '../../../src/source/kafka/connection.ts'
import { Folder } from '../../support/program.ts'

const SECRET = 'correct horse battery'
const folder = new Folder()
afterAll(() => folder.remove())

type Given = Pick<KafkaConfig, 'brokers' | 'tls' | 'sasl'>

function given(more: { brokers?: string[]; tls?: Partial<Given['tls']>; sasl?: Partial<Given['sasl']> }): Given {
  return {
    brokers: more.brokers ?? ['kafka-0:9092', '[::1]:9092'],
    tls: { enabled: false, caFile: null, certFile: null, keyFile: null, ...more.tls },
    sasl: { mechanism: 'none', username: null, password: null, passwordFile: null, ...more.sasl }
  }
}

test('without options there is neither TLS nor a login', () => {
  expect(kafkaConnection(given({}))).toEqual({ brokers: ['kafka-0:9092', '[::1]:9092'], tls: null, sasl: null })
})

test('files are read: authorities, certificate, key, password', () => {
  const [certFile, keyFile] = [join(folder.path, 'cert.pem'), join(folder.path, 'key.pem')]
  const subject = ['-subj', '/CN=test', '-days', '1']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, '-keyout', keyFile, '-out', certFile],
    {
      stdio: 'ignore'
    }
  )
  const passwordFile = folder.write('password', `${SECRET}\n`)
  const { tls, sasl } = kafkaConnection(
    given({ tls: { caFile: certFile, certFile, keyFile }, sasl: { mechanism: 'plain', username: 'me', passwordFile } })
  )
  expect(tls?.ca).toContain('BEGIN CERTIFICATE')
  expect(tls?.key).toContain('PRIVATE KEY')
  expect(sasl).toEqual({ mechanism: 'plain', username: 'me', password: SECRET })
})

const plain = { mechanism: 'plain' as const, username: 'me' }

test.each([
  ['no broker', { brokers: [] }, 'source.kafka.brokers: name at least one'],
  ['a broker without port', { brokers: ['kafka'] }, '"kafka" is no HOST:PORT'],
  ['a URL', { brokers: ['kafka://kafka:9092'] }, 'is no HOST:PORT'],
  ['a port that is none', { brokers: ['kafka:99999'] }, 'is no HOST:PORT'],
  ['a certificate without key', { tls: { certFile: '/x' } }, 'certFile and keyFile belong together'],
  ['a file that is missing', { tls: { caFile: '/nowhere/ca.pem' } }, 'cannot read /nowhere/ca.pem: no such file'],
  ['a file that is no PEM', { tls: { caFile: folder.write('ca.txt', SECRET) } }, 'is no PEM file of certificates'],
  [
    'a PEM that is damaged',
    { tls: { caFile: folder.write('ca.pem', `-----BEGIN CERTIFICATE-----\n${SECRET}\n-----END CERTIFICATE-----\n`) } },
    'holds a certificate that cannot be read'
  ],
  ['a mechanism without user', { sasl: { mechanism: 'plain' as const } }, 'plain needs a user'],
  ['a user without password', { sasl: plain }, 'needs a password'],
  ['an empty password file', { sasl: { ...plain, passwordFile: folder.write('empty', '\n') } }, 'needs a password'],
  ['a password twice', { sasl: { ...plain, password: SECRET, passwordFile: '/x' } }, 'both given'],
  ['a password without mechanism', { sasl: { password: SECRET } }, 'say plain, scram-sha-256 or scram-sha-512']
])('%s is refused in a sentence without secrets', (_name, more, text) => {
  const attempt = () => kafkaConnection(given(more))
  expect(attempt).toThrow(expect.objectContaining({ code: 'WHY5XX_CONFIG', message: expect.stringContaining(text) }))
  expect(attempt).not.toThrow(SECRET)
})
