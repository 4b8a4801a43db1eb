import { existsSync, readdirSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

// Own code, because Node 20 has no stable fs.glob, and what we need of it is `* ? [..] {a,b}` within a segment.

/** Paths that exist and match, sorted. A folder that cannot be listed is told to `failed`; one that is not there has no files. */
export function expandGlob(pattern: string, failed: (folder: string, error: unknown) => void): string[] {
  // A file may really be called `a[1].log`.
  if (isGlob(pattern) && existsSync(pattern)) return [pattern]
  const paths = new Set<string>()
  for (const alternative of alternatives(pattern)) {
    const segments = alternative.split('/').filter(segment => segment !== '' && segment !== '.')
    let found = [isAbsolute(alternative) ? '/' : '']
    segments.forEach((segment, i) => {
      found = found.flatMap(folder => matches(folder, segment, i < segments.length - 1, failed))
    })
    for (const path of found) paths.add(path)
  }
  return [...paths].sort()
}

export function isGlob(pattern: string): boolean {
  return /[*?[{]/.test(pattern)
}

function matches(
  folder: string,
  segment: string,
  isFolder: boolean,
  failed: (folder: string, error: unknown) => void
): string[] {
  // A plain segment needs no right to list the folder. Whether it is there shows when the file is opened.
  if (!isGlob(segment)) return [join(folder, segment)]
  const expression = segmentExpression(segment)
  try {
    return readdirSync(folder === '' ? '.' : folder, { withFileTypes: true })
      .filter(entry => expression.test(entry.name) && (segment.startsWith('.') || !entry.name.startsWith('.')))
      .filter(entry => !isFolder || entry.isDirectory() || entry.isSymbolicLink())
      .map(entry => join(folder, entry.name))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') failed(folder, error)
    return []
  }
}

/** `a{b,c}d` → `abd`, `acd`. An unclosed brace is itself. */
function alternatives(pattern: string): string[] {
  const brace = /^([^{]*)\{([^{}]*)\}(.*)$/s.exec(pattern)
  if (brace === null) return [pattern]
  return brace[2]!.split(',').flatMap(choice => alternatives(`${brace[1]}${choice}${brace[3]}`))
}

function segmentExpression(segment: string): RegExp {
  const source = segment.replace(/\[[!^]?[^\]]+\]|[*?]|[\\^$+.()|{}[\]]/g, part => {
    if (part === '*') return '[^/]*'
    if (part === '?') return '[^/]'
    if (part.length > 2)
      return `[${part
        .slice(1, -1)
        .replace(/^!/, '^')
        .replace(/[\\[\]]/g, '\\$&')}]`
    return `\\${part}`
  })
  // Consecutive stars are one: `a**b` must not take quadratic time.
  try {
    return new RegExp(`^${source.replaceAll(/(?:\[\^\/\]\*){2,}/g, '[^/]*')}$`, 's')
  } catch {
    // `[z-a]` is no range: such a name can only be meant as it stands.
    return new RegExp(`^${segment.replace(/[\\^$+.()|{}[\]*?]/g, '\\$&')}$`, 's')
  }
}
