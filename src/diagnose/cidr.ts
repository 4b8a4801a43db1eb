/** IP addresses and ranges of them, both families. */

/** The address as a number; null: it is none. Zones are left out, `::ffff:10.0.0.1` is its IPv4 address. */
function bitsOf(address: string): { bits: bigint; length: 32 | 128 } | null {
  const [bare] = address.split('%')
  if (!bare!.includes(':')) return ipv4(bare!)
  const mapped = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(bare!)
  const tail = mapped && ipv4(mapped[2]!)
  if (mapped !== null && tail === null) return null
  const text = tail ? `${mapped![1]}${(tail.bits >> 16n).toString(16)}:${(tail.bits & 0xffffn).toString(16)}` : bare!
  const halves = text.split('::')
  const [head, end] = halves.map(half => (half === '' ? [] : half.split(':')))
  const missing = 8 - head!.length - (end?.length ?? 0)
  if (halves.length > 2 || (end === undefined ? missing !== 0 : missing < 1)) return null
  const groups = [...head!, ...Array.from({ length: missing }, () => '0'), ...(end ?? [])]
  if (!groups.every(group => /^[0-9a-f]{1,4}$/i.test(group))) return null
  const bits = groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
  return bits >> 32n === 0xffffn ? { bits: bits & 0xffffffffn, length: 32 } : { bits, length: 128 }
}

function ipv4(text: string): { bits: bigint; length: 32 } | null {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return null
  const bytes = text.split('.').map(Number)
  if (bytes.some(byte => byte > 255)) return null
  return { bits: bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n), length: 32 }
}

export function isSameAddress(one: string, other: string): boolean {
  const a = bitsOf(one)
  const b = bitsOf(other)
  return a === null || b === null ? one === other : a.length === b.length && a.bits === b.bits
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
