/** What goes in one request each: neighbours, up to so many bytes; one that is larger goes alone. */
export function sizedParts<T>(items: readonly T[], bytesOf: (item: T) => number, bytesMax: number): T[][] {
  const parts: T[][] = []
  let bytes = 0
  for (const item of items) {
    const own = bytesOf(item)
    if (parts.length === 0 || bytes + own > bytesMax) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)!.push(item)
    bytes += own
  }
  return parts
}
