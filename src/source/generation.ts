/** What the name of a log file tells about its rotation. Pure. */

/**
 * Generations of one log that lie in one folder.
 *
 *   access.log   access.log.1   access.log.2.gz   access.log-20261121.gz   access.log.old   → one family
 *   0.log   0.log.20261121-101010   0.log.20261121-093012.gz   1.log   (in a pod's folder)   → one family
 */
export interface Generation {
  /** Folder and first name: equal for all generations of one log. */
  family: string
  /** The name that is being written to, as far as the name tells: nothing was added to it. */
  isBase: boolean
  isCompressed: boolean
  /** How often the container was restarted; 0 elsewhere. */
  restarts: number
  /** Rises from old to new, as text, among names of the same kind. */
  rank: string
  kind: 'base' | 'dated' | 'numbered' | 'named'
}

/** What a rotation adds to a name. `.log.20261121-101010`, `.log-20261121`, `.log.2026-11-21_10`, `.log-20261121-1732184400`. */
const DATED = /[.-](\d{4}-?\d{2}-?\d{2}\d*(?:[-_.T:]\d+)*)$/
const NUMBERED = /\.(\d{1,4})$/
const NAMED = /\.(?:old|bak|orig|copy)$/
/** kubelet's folder of a container: `…/NAMESPACE_POD_UID/CONTAINER`. */
const CONTAINER_FOLDER = /\/[^/_]+_[^/_]+_[0-9a-f-]{8,}\/[^/]+$/

export function generationOf(folder: string, name: string): Generation {
  const isCompressed = name.endsWith('.gz')
  const plain = isCompressed ? name.slice(0, -3) : name
  const isContainer = CONTAINER_FOLDER.test(folder)
  const of = (kind: Generation['kind'], base: string, rank: string): Generation | null => {
    // `10.42.1.7` is no rotation of `10.42.1`.
    if (!/[a-z]/i.test(base)) return null
    const restarts = isContainer ? /^(\d+)\.log$/.exec(base) : null
    const family = `${folder}/${restarts === null ? base : '*.log'}`
    const isBase = kind === 'base' && !isCompressed
    return { family, isBase, isCompressed, restarts: Number(restarts?.[1] ?? 0), rank, kind }
  }
  const dated = DATED.exec(plain)
  const numbered = NUMBERED.exec(plain)
  const named = NAMED.exec(plain)
  return (
    (dated && of('dated', plain.slice(0, dated.index), dated[1]!.replace(/\D/g, '').padEnd(24, '0'))) ||
    (numbered &&
      of('numbered', plain.slice(0, numbered.index), String(10_000 - Number(numbered[1])).padStart(5, '0'))) ||
    (named && of('named', plain.slice(0, named.index), '')) ||
    of('base', plain, '') || {
      family: `${folder}/${plain}`,
      isBase: !isCompressed,
      isCompressed,
      restarts: 0,
      rank: '',
      kind: 'base'
    }
  )
}

/** Oldest first. Names of different kinds (dates after a change of configuration) go by the time of their last write. */
export function compareGenerations(
  a: { generation: Generation; modifiedMs: number },
  b: { generation: Generation; modifiedMs: number }
): number {
  const one = a.generation
  const other = b.generation
  if (one.restarts !== other.restarts) return one.restarts - other.restarts
  if (one.isBase !== other.isBase) return one.isBase ? 1 : -1
  if (one.kind === other.kind && one.rank !== other.rank) return one.rank < other.rank ? -1 : 1
  return a.modifiedMs - b.modifiedMs
}
