import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalAddress } from '../../src/cluster/address.ts'
import '../support/seed.ts'

test.each([
  ['IPv4', '10.0.0.7', '10.0.0.7'],
  ['IPv4 with a port', '10.0.0.7:8080', '10.0.0.7'],
  ['IPv4 with zeros in front', '010.001.0.7', '10.1.0.7'],
  ['IPv6 in full', '2001:0DB8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
  ['IPv6 in brackets', '[fd00::1]', 'fd00::1'],
  ['IPv6 in brackets with a port', '[FD00:0:0::1]:8080', 'fd00::1'],
  ['IPv6 with a zone', 'fe80::1%eth0', 'fe80::1'],
  ['the unspecified address', '0:0:0:0:0:0:0:0', '::'],
  ['loopback', '::1', '::1'],
  ['zeros at the end', 'fd00:0:0:0:0:0:0:0', 'fd00::'],
  ['the longest run is compressed', '1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['of equal runs the first is', '1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
  ['a single zero stays', '1:2:3:0:5:6:7:8', '1:2:3:0:5:6:7:8'],
  [':: for a single zero is written out', '1:2:3::5:6:7:8', '1:2:3:0:5:6:7:8'],
  ['IPv4-mapped', '::ffff:10.0.0.7', '10.0.0.7'],
  ['IPv4-mapped in hex, with a port', '[::FFFF:0a00:0007]:80', '10.0.0.7'],
  ['IPv4 in the tail', '64:ff9b::10.0.0.7', '64:ff9b::a00:7']
])('%s', (_name, text, want) => {
  expect(canonicalAddress(text)).toBe(want)
})

test.each([
  '',
  '-',
  'unix:/run/app.sock',
  'example.com:80',
  '10.0.0',
  '10.0.0.256',
  '1.2.3.4.5',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7',
  '12345::',
  'g::1',
  '[::1',
  '::10.0.0.999',
  '1.2.3.4::',
  `${'1:'.repeat(200)}`,
  null,
  7
])('%j is no address', text => {
  expect(canonicalAddress(text)).toBeNull()
})

test('every spelling of an IPv6 address has one canonical text', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 }), groups => {
      const full = groups.map(group => group.toString(16).padStart(4, '0')).join(':')
      const canonical = canonicalAddress(full)
      expect(canonical).not.toBeNull()
      expect(canonicalAddress(canonical)).toBe(canonical)
      expect(canonicalAddress(`[${full.toUpperCase()}]:443`)).toBe(canonical)
      if (!canonical!.includes('.')) expect(new URL(`http://[${full}]/`).hostname).toBe(`[${canonical}]`)
    })
  )
})

test('any text gives an address or none', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.[]%g'.split('')) }), text => {
      const canonical = canonicalAddress(text)
      if (canonical !== null) expect(canonicalAddress(canonical)).toBe(canonical)
    })
  )
})
