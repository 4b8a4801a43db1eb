/** How to reach the brokers: addresses, certificates, login. */

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { KafkaConfig } from '../../clusterOptions.ts'
import { systemErrorText, Why5xxError } from '../../errors.ts'

export interface KafkaConnection {
  brokers: string[]
  /** PEM texts; null: no TLS. */
  tls: { ca: string | null; cert: string | null; key: string | null } | null
  sasl: { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string } | null
}

/** HOST:PORT, also `[::1]:9092`. */
const BROKER = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):(\d{1,5})$/

/**
 * Reads the files that the configuration names. Throws Why5xxError `WHY5XX_CONFIG`; no message holds a secret.
 */
export function kafkaConnection(config: Pick<KafkaConfig, 'brokers' | 'tls' | 'sasl'>): KafkaConnection {
  return { brokers: brokersOf(config), tls: tlsOf(config.tls), sasl: saslOf(config.sasl) }
}

function brokersOf({ brokers }: Pick<KafkaConfig, 'brokers'>): string[] {
  if (brokers.length === 0) throw wrong('brokers', 'name at least one broker, as HOST:PORT')
  for (const broker of brokers) {
    const port = Number(BROKER.exec(broker)?.[1])
    if (!(port >= 1 && port <= 65_535)) throw wrong('brokers', `${JSON.stringify(broker)} is no HOST:PORT`)
  }
  return [...brokers]
}

function tlsOf(tls: KafkaConfig['tls']): KafkaConnection['tls'] {
  const { enabled, caFile, certFile, keyFile } = tls
  if (!enabled && caFile === null && certFile === null && keyFile === null) return null
  if ((certFile === null) !== (keyFile === null))
    throw wrong('tls', 'certFile and keyFile belong together: name both or none')
  const ca = certificates('tls.caFile', caFile)
  const cert = certificates('tls.certFile', certFile)
  const key = read('tls.keyFile', keyFile)
  try {
    createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) })
  } catch (error) {
    throw wrong('tls', `${certFile} and ${keyFile} cannot be used: ${reasonOf(error)}`)
  }
  return { ca, cert, key }
}

function saslOf({ mechanism, username, password, passwordFile }: KafkaConfig['sasl']): KafkaConnection['sasl'] {
  if (mechanism === 'none') {
    if (username === null && password === null && passwordFile === null) return null
    throw wrong('sasl.mechanism', 'a user or a password is given: say plain, scram-sha-256 or scram-sha-512')
  }
  if (username === null) throw wrong('sasl.username', `${mechanism} needs a user`)
  if (password !== null && passwordFile !== null)
    throw wrong('sasl.passwordFile', 'password and passwordFile are both given: keep one')
  // A final line feed belongs to the file, not to the password.
  const secret = password ?? read('sasl.passwordFile', passwordFile)?.replace(/\r?\n$/, '') ?? null
  if (secret === null || secret === '')
    throw wrong('sasl.passwordFile', `${mechanism} needs a password; none was found`)
  return { mechanism, username, password: secret }
}

/** A bundle of them is whole: Node passes over those it cannot read, and the brokers are strangers then. */
function certificates(path: string, file: string | null): string | null {
  const text = read(path, file)
  if (text === null) return null
  const bundle = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)
  if (bundle === null) throw wrong(path, `${file} is no PEM file of certificates`)
  for (const certificate of bundle) {
    try {
      void new X509Certificate(certificate)
    } catch (error) {
      throw wrong(path, `${file} holds a certificate that cannot be read: ${reasonOf(error)}`)
    }
  }
  return text
}

/** Of OpenSSL's text only the reason: it names no content. */
function reasonOf(error: unknown): string {
  return (error as { reason?: string }).reason ?? 'it is damaged'
}

function read(path: string, file: string | null): string | null {
  if (file === null) return null
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw wrong(path, `cannot read ${file}: ${systemErrorText(error)}`, error)
  }
}

function wrong(path: string, sentence: string, cause?: unknown): Why5xxError {
  return new Why5xxError('WHY5XX_CONFIG', `source.kafka.${path}: ${sentence}`, { cause })
}
