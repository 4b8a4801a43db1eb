/**
 * Writes samples/incidents: logs of eight outages as two ingress-nginx controllers would have written them, the state of the
 * cluster as a watch recorded it (`cluster.ndjson`) or as kubectl listed it afterwards (`cluster.json`), and what the simulator
 * knows about each (`expected.json`), so that a reader can be measured against the truth and not against itself.
 *
 *   node dist/bench/incidents.js [--out samples/incidents] [NAME…]
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { headerTooBig } from './incidents/headerTooBig.ts'
import { type Incident, writeIncident } from './incidents/incident.ts'
import { keepaliveRace } from './incidents/keepaliveRace.ts'
import { oomDuringLoad } from './incidents/oomDuringLoad.ts'
import { readinessFailing } from './incidents/readinessFailing.ts'
import { rolloutWithoutPrestop } from './incidents/rolloutWithoutPrestop.ts'
import { slowDependency } from './incidents/slowDependency.ts'
import { upstreamTls } from './incidents/upstreamTls.ts'
import { wrongTargetPort } from './incidents/wrongTargetPort.ts'

export const INCIDENTS: readonly Incident[] = [
  oomDuringLoad,
  rolloutWithoutPrestop,
  wrongTargetPort,
  readinessFailing,
  slowDependency,
  upstreamTls,
  keepaliveRace,
  headerTooBig
]

function main(): void {
  const { values, positionals } = parseArgs({
    options: { out: { type: 'string', default: 'samples/incidents' } },
    allowPositionals: true
  })
  for (const incident of INCIDENTS) {
    if (positionals.length > 0 && !positionals.includes(incident.name)) continue
    const folder = join(values.out, incident.name)
    mkdirSync(folder, { recursive: true })
    const files = Object.entries(writeIncident(incident))
    for (const [file, content] of files) writeFileSync(join(folder, file), content)
    console.log(`${incident.name}: ${files.map(([file, { length }]) => `${file} ${length}`).join(', ')} bytes`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
