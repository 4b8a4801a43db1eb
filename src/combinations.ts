/** Options that are right by themselves and wrong together. */

import type { Config } from './optionTable.ts'

/**
 * One sentence for each combination that cannot work; it names both paths and what is allowed. `origins` tells where the
 * values come from that are not defaults: file, name in the environment, `--set`.
 */
export function impossibleCombinations(config: Config, origins: ReadonlyMap<string, string>): string[] {
  const named = (path: string): string => {
    const origin = origins.get(path)
    return `${path} (${origin ?? 'default'})`
  }
  const problems: string[] = []
  const { source, web } = config
  if (source.kind === 'stdin' && origins.has('source.files.paths'))
    problems.push(
      `${named('source.kind')} is stdin, and ${named('source.files.paths')} names files: leave the paths out, or take source.kind files`
    )
  if (source.kind === 'files' && source.files.paths.length === 0)
    problems.push(
      `${named('source.kind')} is files, and ${named('source.files.paths')} is an empty list: name at least one path or pattern, or take source.kind stdin`
    )
  for (const path of ['web.token', 'web.metricsToken'] as const) {
    const key = path === 'web.token' ? 'token' : 'metricsToken'
    if (web[key] !== null && web[`${key}File`] !== null)
      problems.push(`${named(path)} and ${named(`${path}File`)} are both given: give the token or its file, not both`)
  }
  return problems
}
