/** IP addresses and ranges of them, both families. */

import { canonicalAddress } from '../cluster/address.ts'

/** The address as a number; null: it is none. */
function bitsOf(text: string): { bits: bigint; length: 32 | 128 } | null {
  const address = canonicalAddress(text)
  if (address === null) return null
  if (!address.includes(':')) return { bits: joined(address.split('.').map(Number), 8n), length: 32 }
  const [head, tail] = address.split('::').map(half => (half === '' ? [] : half.split(':')))
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - head!.length - tail.length }, () => '0')
  const groups = [...head!, ...zeros, ...(tail ?? [])]
  return {
    bits: joined(
      groups.map(group => Number.parseInt(group, 16)),
      16n
    ),
    length: 128
  }
}

function joined(parts: readonly number[], width: bigint): bigint {
  return parts.reduce((sum, part) => (sum << width) | BigInt(part), 0n)
}

export function isSameAddress(one: string, other: string): boolean {
  if (one === other) return true
  const canonical = canonicalAddress(one)
  return canonical !== null && canonical === canonicalAddress(other)
}

/** `10.0.0.0/8`, `fd00::/8`; without a length the one address. What cannot be read contains nothing. */
export function isInRange(address: string, range: string): boolean {
  const [base, length] = range.split('/')
  const a = bitsOf(address)
  const b = bitsOf(base!)
  if (a === null || b === null || a.length !== b.length) return false
  const prefix = length === undefined ? a.length : Number(length)
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > a.length) return false
  const shift = BigInt(a.length - prefix)
  return a.bits >> shift === b.bits >> shift
}
