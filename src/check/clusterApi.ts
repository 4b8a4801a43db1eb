/** `check --cluster` without files: what the API server, the controllers and the record would give. */

import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Connection } from '../cluster/apiRequest.ts'
import { connect, serverVersion } from '../cluster/connect.ts'
import { serverClockAheadMs } from '../cluster/serverClock.ts'
import { openRecord, recordFolder } from '../clusterWiring.ts'
import { Why5xxError } from '../errors.ts'
import type { Config } from '../optionTable.ts'
import { checkController } from './clusterController.ts'
import { checkKinds } from './clusterKinds.ts'
import { readRecordFacts, recordFinding } from './clusterRecord.ts'
import { type Finding, hint, ok, problem } from './finding.ts'

const API = 'kubernetes.api'
const CLOCK = 'clock'
/** `Date` has seconds, and diagnosis forgives two. */
const CLOCK_HINT_MS = 2_000
/** A pod that is ten seconds gone is another story than one that goes. */
const CLOCK_PROBLEM_MS = 10_000
const RECORD_MS = 10_000

export async function checkClusterApi(config: Config): Promise<Finding[]> {
  const { api, kubeconfig, context, namespaces } = config.kubernetes
  let findings: Finding[] = []
  try {
    const connection = connect({
      // Who asks about a cluster means the one that kubectl talks to.
      api: api === 'in-cluster' ? api : 'kubeconfig',
      ...(kubeconfig !== null && { file: kubeconfig }),
      ...(context !== null && { context })
    })
    findings = [
      ok(API, `context ${connection.context}: ${connection.server.origin}, ${await serverVersion(connection)}`),
      ...(await checkClock(connection)),
      ...(await checkKinds(connection, namespaces)),
      ...(await checkController(connection, config))
    ]
  } catch (error) {
    if (!(error instanceof Why5xxError)) throw error
    findings.push(problem(API, error.message, 'mend the kubeconfig (kubectl cluster-info tries it), or kubernetes.api'))
  }
  return [...findings, ...(await checkRecord(config))]
}

async function checkClock(connection: Connection): Promise<Finding[]> {
  const aheadMs = await serverClockAheadMs(connection, Date.now)
  if (aheadMs === null) return []
  const seconds = Math.round(Math.abs(aheadMs) / 1_000)
  const text = `the API server's clock is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ours`
  const mend = 'let both follow NTP'
  if (Math.abs(aheadMs) > CLOCK_PROBLEM_MS) return [problem(CLOCK, text, mend)]
  return [Math.abs(aheadMs) > CLOCK_HINT_MS ? hint(CLOCK, text, mend) : ok(CLOCK, 'the API server has our time')]
}

/** Only where somebody is to read one. */
async function checkRecord(config: Config): Promise<Finding[]> {
  const { source, kubernetes } = config
  const isTopic = source.kind === 'kafka'
  const folder = recordFolder(config)
  if (!isTopic && kubernetes.api === 'none' && !existsSync(folder)) return []
  const about = isTopic ? 'kubernetes.topic' : 'sink.embedded.path'
  const said: string[] = []
  const record = await openRecord(config, { say: text => said.push(text), log: () => {} })
  const facts = await readRecordFacts(record, Date.now(), () => delay(RECORD_MS, undefined, { ref: false }))
  if (said.length > 0 && facts.listedMs === null) return [problem(about, said.join('; '), 'mend what it says')]
  return [recordFinding(about, isTopic ? kubernetes.topic : folder, facts, Date.now())]
}
