/** What somebody may have meant. */

/** The known name that is closest to `name`, by edits; null when none is within `editsMax`. */
export function nearest(name: string, known: Iterable<string>, editsMax = Number.POSITIVE_INFINITY): string | null {
  let best: string | null = null
  let bestEdits = editsMax
  for (const candidate of known) {
    const edits = distance(name, candidate)
    if (edits < bestEdits || (best === null && edits === bestEdits)) {
      best = candidate
      bestEdits = edits
    }
  }
  return best
}

/** Levenshtein distance, case ignored. */
function distance(a: string, b: string): number {
  const left = a.toLowerCase()
  const right = b.toLowerCase()
  let row = Array.from({ length: right.length + 1 }, (_, i) => i)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[right.length]!
}
