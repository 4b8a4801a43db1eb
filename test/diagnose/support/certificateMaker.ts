/**
 * X.509 certificates whose dates and names a case chooses, always the same for the same input. Nothing reads more of them than
 * that: the key is the generator of P-256 and the signature signs nothing.
 */

export interface CertificateInput {
  /** RFC 3339. */
  notBefore: string
  notAfter: string
  /** DNS names. */
  names: string[]
}

const SEQUENCE = 0x30
const SET = 0x31
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const UTF8_STRING = 0x0c
const UTC_TIME = 0x17
const DNS_NAME = 0x82
const VERSION = 0xa0
const EXTENSIONS = 0xa3

const COMMON_NAME = Buffer.from('0603550403', 'hex')
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex')
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex')
const PUBLIC_KEY = Buffer.from(
  '3059301306072a8648ce3d020106082a8648ce3d03010703420004' +
    '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296' +
    '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
  'hex'
)

/** PEM, as `tls.crt` holds it before base64. */
export function certificatePem(input: CertificateInput): string {
  const body = tagged(
    SEQUENCE,
    tagged(VERSION, integer(2)),
    integer(1),
    ECDSA_WITH_SHA256,
    commonName('Example Trust R3'),
    tagged(SEQUENCE, utcTime(input.notBefore), utcTime(input.notAfter)),
    commonName(input.names[0] ?? 'unnamed'),
    PUBLIC_KEY,
    tagged(EXTENSIONS, tagged(SEQUENCE, alternativeNames(input.names)))
  )
  const signature = tagged(SEQUENCE, integer(1), integer(1))
  const whole = tagged(SEQUENCE, body, ECDSA_WITH_SHA256, tagged(BIT_STRING, Buffer.of(0), signature))
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function alternativeNames(names: string[]): Buffer {
  const written = names.map(name => tagged(DNS_NAME, Buffer.from(name)))
  return tagged(SEQUENCE, SUBJECT_ALT_NAME, tagged(OCTET_STRING, tagged(SEQUENCE, ...written)))
}

function commonName(name: string): Buffer {
  const attribute = tagged(SEQUENCE, COMMON_NAME, tagged(UTF8_STRING, Buffer.from(name)))
  return tagged(SEQUENCE, tagged(SET, attribute))
}

/** `2025-08-15T00:00:00Z` → `250815000000Z`. */
function utcTime(at: string): Buffer {
  return tagged(UTC_TIME, Buffer.from(`${at.replaceAll(/\D/g, '').slice(2, 14)}Z`))
}

function integer(value: number): Buffer {
  return tagged(INTEGER, Buffer.of(value))
}

function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...head), content])
}
