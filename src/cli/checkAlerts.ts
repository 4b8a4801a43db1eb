/** `why5xx check --alerts`. Exit code 1 if a receiver refuses the test alert or is away. */

import { checkAlerts } from '../check/alerts.ts'
import type { Config } from '../optionTable.ts'
import { jsonText } from '../text.ts'
import { hasProblem, runText } from './checkRun.ts'
import { writeOut } from './output.ts'

export async function runCheckAlerts(config: Config, format: string): Promise<number> {
  const findings = await checkAlerts(config, Date.now())
  await writeOut(format === 'json' ? `${jsonText({ alerts: findings }, 2)}\n` : runText(findings, 'alerts'))
  return hasProblem(findings) ? 1 : 0
}
