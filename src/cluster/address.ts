/** One spelling for one address: logs, pods, slices and Services write the same address in several. */

const IPV4 = /^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/
const GROUPS = 8
/** The longest spelling of an address, with brackets, zone and port; longer text is none. */
const TEXT_MAX = 100

/**
 * The address as RFC 5952 writes it, without brackets, zone and port; null: not an IP address.
 *
 *   10.0.0.7:8080             → 10.0.0.7
 *   [FD00:0:0::1]:8080        → fd00::1
 *   ::ffff:10.0.0.7           → 10.0.0.7     nginx that listens on [::] writes IPv4 so
 */
export function canonicalAddress(text: unknown): string | null {
  if (typeof text !== 'string' || text.length > TEXT_MAX) return null
  const bare = withoutPort(text.trim())
  return bare.includes(':') ? canonicalIpv6(bare) : canonicalIpv4(bare)
}

function withoutPort(text: string): string {
  if (text.startsWith('[')) return /^\[([^\]]*)\](?::\d*)?$/.exec(text)?.[1] ?? ''
  const colon = text.indexOf(':')
  // One colon is a port; of several without brackets none is.
  return colon !== -1 && colon === text.lastIndexOf(':') && /^\d*$/.test(text.slice(colon + 1))
    ? text.slice(0, colon)
    : text
}

function canonicalIpv4(text: string): string | null {
  if (!IPV4.test(text)) return null
  const bytes = text.split('.').map(Number)
  return bytes.every(byte => byte <= 255) ? bytes.join('.') : null
}

function canonicalIpv6(text: string): string | null {
  const zone = text.indexOf('%')
  const groups = groupsOf(zone === -1 ? text : text.slice(0, zone))
  if (groups === null) return null
  const isMapped = groups.slice(0, 5).every(group => group === 0) && groups[5] === 0xffff
  if (isMapped) return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join('.')
  return compressed(groups)
}

/** Eight numbers; null: not an IPv6 address. */
function groupsOf(text: string): number[] | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const parts = halves.map(half => (half === '' ? [] : half.split(':')))
  const head = numbersOf(parts[0]!, halves.length === 1)
  const tail = halves.length === 2 ? numbersOf(parts[1]!, true) : []
  if (head === null || tail === null) return null
  const missing = GROUPS - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

/** The last of them may be an IPv4 address, which is two groups. */
function numbersOf(parts: readonly string[], isLast: boolean): number[] | null {
  const numbers: number[] = []
  for (const [i, part] of parts.entries()) {
    if (isLast && i === parts.length - 1 && part.includes('.')) {
      const ipv4 = canonicalIpv4(part)
      if (ipv4 === null) return null
      const [a, b, c, d] = ipv4.split('.').map(Number)
      numbers.push(a! * 256 + b!, c! * 256 + d!)
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return null
      numbers.push(Number.parseInt(part, 16))
    }
  }
  return numbers
}

/** The longest run of zero groups, the first of equals, becomes `::`; a single zero stays. */
function compressed(groups: readonly number[]): string {
  let start = -1
  let length = 1
  for (let i = 0; i < GROUPS; i++) {
    let end = i
    while (end < GROUPS && groups[end] === 0) end++
    if (end - i > length) {
      start = i
      length = end - i
    }
    if (end > i) i = end
  }
  const hex = groups.map(group => group.toString(16))
  return start === -1 ? hex.join(':') : `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}
