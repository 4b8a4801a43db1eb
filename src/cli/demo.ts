import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { exitCodeOf, Why5xxError } from '../errors.ts'
import { quoteForShell } from '../text.ts'
import { runExplain } from './explain.ts'
import { CommonOptions } from './options.ts'
import { complain, writeOut } from './output.ts'
import { runReplay } from './replay.ts'

/** What is shown without a file, in the package: a log, and the state of its cluster. */
const INCIDENT = 'samples/incidents/oom-during-load'
const STORE = './why5xx-demo'

export interface DemoFlags {
  store?: string
  color?: boolean
}

/**
 * What somebody sees first: what failed in a log and why, the same in a store on this machine, and what to ask that store.
 * The log is one's own, or that of a bundled incident. Returns the exit code.
 */
export async function runDemo(paths: string[], { store = STORE, color }: DemoFlags): Promise<number> {
  const bundled = paths.length === 0 ? bundledIncident() : null
  const logs = bundled === null ? paths : [bundled.log]
  if (logs.includes('-'))
    throw new Why5xxError('WHY5XX_USAGE', 'demo reads files twice; for stdin try why5xx explain -')
  const cluster = bundled === null ? {} : { cluster: [bundled.cluster] }
  let recognised = 0
  const explained = await runExplain(
    logs,
    { ...cluster, ...(color !== undefined && { color }) },
    new CommonOptions({}),
    { onRecognised: lines => void (recognised = lines) }
  )
  // It was said why; a store of nothing, and what to ask it, would only hide that.
  const kept = recognised === 0 ? 0 : await keep(logs, store, bundled)
  await writeOut(nextSteps())
  return Math.max(explained, kept)
}

/** Returns the exit code: a folder that cannot be written costs the store, not the rest. */
async function keep(logs: string[], store: string, bundled: { cluster: string } | null): Promise<number> {
  await writeOut('\nThe same in a store, as why5xx run keeps it all day:\n')
  // An old log is not to vanish with the next run; what is wrong with an input was said.
  const set = ['sink.kind=embedded', 'sink.embedded.retention=3650d', 'log.level=error']
  if (bundled !== null) set.push(`kubernetes.snapshots=${bundled.cluster}`)
  try {
    return await runReplay(logs, { store }, new CommonOptions({ set }))
  } catch (error) {
    if (!(error instanceof Why5xxError)) throw error
    complain(error.message)
    await writeOut('Not kept. In another folder: why5xx demo --store FOLDER\n')
    return exitCodeOf(error)
  }
}

/** dist/main.js → the package. Throws Why5xxError `WHY5XX_USAGE` where it came without its samples. */
function bundledIncident(): { log: string; cluster: string } {
  const folder = join(dirname(realpathSync(process.argv[1]!)), '..', INCIDENT)
  const incident = { log: join(folder, 'controller.log'), cluster: join(folder, 'cluster.ndjson') }
  if (!existsSync(incident.log))
    throw new Why5xxError('WHY5XX_USAGE', `${incident.log} is not there: name a log file instead`)
  return incident
}

function nextSteps(): string {
  const program = realpathSync(process.argv[1]!)
  return `
To type it like that: alias why5xx=${quoteForShell(`node ${quoteForShell(program)}`)}
Your own log:         why5xx demo /path/to/controller.log
Your own cluster:     kubectl logs -n ingress-nginx -l app.kubernetes.io/component=controller --tail=-1 --prefix --timestamps --since=1h | why5xx explain -
`
}
