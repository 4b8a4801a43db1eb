/** `why5xx check --cluster`: of the API server, or of files with the state of a cluster. Exit code 1 if anything must be mended. */

import type { Config } from '../optionTable.ts'
import { jsonText } from '../text.ts'
import { hasProblem, runText } from './checkRun.ts'
import { writeOut } from './output.ts'

export async function runCheckCluster(paths: string[], config: Config, format: string): Promise<number> {
  const findings =
    paths.length > 0
      ? await (await import('../check/clusterFiles.ts')).checkClusterFiles(paths)
      : await (await import('../check/clusterApi.ts')).checkClusterApi(config)
  await writeOut(format === 'json' ? `${jsonText({ cluster: findings }, 2)}\n` : runText(findings, 'cluster'))
  return hasProblem(findings) ? 1 : 0
}
