/** What makes many requests one route, and many clients one network. */

const SEGMENTS_MAX = 8
const SEGMENT_CHARS_MAX = 48

/** Digits, UUIDs, long hex, and long opaque words that hold digits. */
const ID =
  /^(?:\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?=[0-9a-f]*\d)[0-9a-f]{12,}|(?=[\w-]*\d)[\w-]{24,})$/i

/** `/cart/78435/items` → `/cart/:id/items`. */
export function routeOf(method: string | null, path: string | null): string {
  if (method === null && path === null) return '(no request line)'
  if (path === null) return method!
  const segments = path.split('/')
  const shown = segments
    .slice(0, SEGMENTS_MAX + 1)
    .map(segment =>
      ID.test(segment)
        ? ':id'
        : segment.length > SEGMENT_CHARS_MAX
          ? `${segment.slice(0, SEGMENT_CHARS_MAX)}…`
          : segment
    )
  if (segments.length > SEGMENTS_MAX + 1) shown.push('…')
  return [method, shown.join('/')].filter(part => part !== null).join(' ')
}

/** Segments that a route keeps at each level, when there are too many routes. */
const DEPTHS = [SEGMENTS_MAX, 3, 2, 1]

export function foldRoute(route: string, level: number): string {
  const depth = DEPTHS[level]
  const slash = route.indexOf('/')
  if (depth === undefined) return '(all routes)'
  if (slash < 0) return route
  const segments = route.slice(slash).split('/')
  if (segments.length <= depth + 1 || (segments.length === depth + 2 && segments.at(-1) === '…')) return route
  return `${route.slice(0, slash)}${segments.slice(0, depth + 1).join('/')}/…`
}

/** `203.0.113.9` → `203.0.113.0/24` → `203.0.0.0/16` → all; IPv6 to /48, then /32. */
export function foldClient(client: string, level: number): string {
  if (level > 2) return '(all clients)'
  const address = client.replace(/\/\d+$/, '')
  const four = /^(?:::ffff:)?(\d+)\.(\d+)\.(\d+)\.\d+$/.exec(address)
  if (four) return level === 1 ? `${four[1]}.${four[2]}.${four[3]}.0/24` : `${four[1]}.${four[2]}.0.0/16`
  if (!address.includes(':')) return client
  const groups = address.split('::')[0]!.split(':').filter(Boolean)
  const kept = groups.slice(0, level === 1 ? 3 : 2).join(':')
  return `${kept}::/${level === 1 ? 48 : 32}`
}
