import { expect, test } from 'vitest'
import { certificateFacts } from '../../src/cluster/certificate.ts'
import { certificatePem } from './support/certificateMaker.ts'

test('a certificate says what it was made to say', () => {
  const dates = { notBefore: '2025-05-17T00:05:10Z', notAfter: '2025-08-15T00:00:00Z' }
  const names = ['*.example.com', 'example.com', `${'a'.repeat(60)}.${'b'.repeat(60)}.example.org`]
  expect(certificateFacts(certificatePem({ ...dates, names }))).toEqual({
    ...dates,
    sans: names,
    issuer: 'CN=Example Trust R3'
  })
})
