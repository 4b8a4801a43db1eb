/** `kubectl why5xx`: the controllers of a cluster, their logs, the part of the cluster that failures concern, and `explain`. */

import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '../cluster/connect.ts'
import { findControllers } from '../cluster/controllers.ts'
import { serverClockAheadMs } from '../cluster/serverClock.ts'
import { Why5xxError } from '../errors.ts'
import { ClusterJudge } from '../explain/clusterFiles.ts'
import { concernedPart } from '../kubectl/concerned.ts'
import { readControllerLogs } from '../kubectl/controllerLogs.ts'
import { LogSpool } from '../kubectl/logSpool.ts'
import { survey } from '../kubectl/survey.ts'
import { Masker } from '../mask.ts'
import { grouped, plural } from '../text.ts'
import { durationMs } from '../timeOption.ts'
import { type ExplainFlags, explainInputs, planOf, wantedNames } from './explain.ts'
import type { CommonOptions } from './options.ts'
import { complain } from './output.ts'
import { Steps } from './steps.ts'
import { Stop } from './stop.ts'

export interface KubectlFlags extends Omit<ExplainFlags, 'format' | 'source' | 'cluster'> {
  output: string
  namespace?: string
  allNamespaces?: boolean
  selector?: string
  controllerNamespace?: string
  container?: string
  kubeconfig?: string
  context?: string
  as?: string
  asGroup?: string[]
  requestTimeout: string
}

const SINCE = '1h'

/** Returns the exit code. Throws Why5xxError when there is no way to the cluster, or no controller in it. */
export async function runKubectl(flags: KubectlFlags, options: CommonOptions): Promise<number> {
  const explainFlags: ExplainFlags = { ...flags, format: flags.output }
  if (flags.since === undefined && flags.from === undefined) explainFlags.since = SINCE
  // Wrong flags are told before anybody is asked.
  await planOf(explainFlags)
  if (flags.asGroup !== undefined && flags.as === undefined)
    throw new Why5xxError('WHY5XX_USAGE', '--as-group needs --as: the API knows no group without a user')
  const loaded = await options.load()
  const connection = connect({
    api: 'kubeconfig',
    file: flags.kubeconfig,
    context: flags.context,
    as: flags.as,
    asGroups: flags.asGroup
  })
  connection.silentMs = timeoutMs(flags.requestTimeout)
  const steps = new Steps()
  const stop = new Stop(() => steps.clear(), 'stopping')
  const spool = new LogSpool()
  try {
    const { signal } = stop
    steps.say('looking for controllers')
    // Windows and the moment of a list are told by the clock that stamps the logs, or nearly so.
    const aheadMs = (await serverClockAheadMs(connection, Date.now, signal)) ?? 0
    const now = () => Date.now() + aheadMs
    const plan = await planOf(explainFlags, now())
    const search = {
      selector: flags.selector ?? null,
      namespace: flags.controllerNamespace ?? null,
      container: flags.container ?? null
    }
    const controllers = await findControllers(connection, search, signal)
    let bytes = 0
    const heard = (more: number) => {
      bytes += more
      steps.say(`reading logs of ${plural(controllers.length, 'controller')}: ${(bytes / 1e6).toFixed(1)} MB`)
    }
    const wait = (ms: number) => delay(ms, undefined, { signal })
    // What failed at first was told as many seconds before.
    const fromMs = plan.range.fromMs - loaded.config.join.errorWaitMs
    const { logs, problems, notes } = await readControllerLogs({
      connection,
      controllers,
      fromMs,
      spool,
      heard,
      wait,
      signal
    })
    let exitCode = problems.length > 0 ? 1 : 0
    if (logs.length === 0) {
      for (const text of [...problems, ...notes]) complain(text)
      if (problems.length === 0) complain('the controllers have written nothing in that time: see --since')
      return exitCode
    }
    const inputs = () => logs.map(log => log.input())
    const isWantedService = wantedNames(flags.service)
    const found = await survey(
      inputs(),
      { ...loaded.config, ...plan.range, logFormat: loaded.logFormat },
      failure => plan.causes?.has(failure.cause) !== false && isWantedService?.(failure.upstreamName ?? '') !== false
    )
    const namespace = flags.allNamespaces ? null : (flags.namespace ?? null)
    const part = await concernedPart(found, {
      connection,
      controllers,
      namespace,
      isWhole: flags.allNamespaces ?? false,
      now,
      signal,
      say: text => steps.say(text)
    })
    if (part.problems.length > 0) exitCode = 1
    steps.clear()
    stop.release()
    const inNamespace = (name: string) => namespace === null || part.isOf(name, namespace)
    const others = [...found.byName].filter(([name]) => !inNamespace(name))
    if (others.length > 0) notes.push(othersText(others, namespace!, name => part.whereOf(name)))
    const told = [...problems, ...part.problems, ...part.notes, ...notes]
    const isSaid = plan.format === 'text' || plan.format === 'markdown'
    if (!isSaid) for (const text of told) complain(text)
    const masker = new Masker(loaded.maskOptions)
    const code = await explainInputs(inputs(), withNames(plan, namespace, found.byName.keys(), inNamespace), loaded, {
      cluster: found.byName.size > 0 ? new ClusterJudge(part.state, masker) : null,
      isWantedName:
        namespace === null ? isWantedService : name => inNamespace(name) && isWantedService?.(name) !== false,
      filters: namespace === null ? [] : [`namespace ${namespace}`],
      notes: told
    })
    return Math.max(code, exitCode)
  } catch (error) {
    if (stop.exitCode !== null) return stop.exitCode
    throw error
  } finally {
    steps.clear()
    stop.release()
    spool.close()
  }
}

/** A page picks its services by name. */
function withNames<Plan extends { flags: ExplainFlags; format: string }>(
  plan: Plan,
  namespace: string | null,
  names: Iterable<string>,
  inNamespace: (name: string) => boolean
): Plan {
  if (plan.format !== 'html' || namespace === null || plan.flags.service !== undefined) return plan
  const service = [...names].filter(inNamespace)
  return { ...plan, flags: { ...plan.flags, service: service.length > 0 ? service : [`${namespace}/`] } }
}

/** `38 failures of other namespaces are not shown: pay 30, blog 8; without -n they are`. */
function othersText(others: [string, number][], namespace: string, whereOf: (name: string) => string[]): string {
  const byPlace = new Map<string, number>()
  let sum = 0
  for (const [name, count] of others) {
    const places = whereOf(name)
    const place = places.length === 1 ? places[0]! : name === '' ? 'without a Service' : name
    byPlace.set(place, (byPlace.get(place) ?? 0) + count)
    sum += count
  }
  const most = [...byPlace].sort(([, a], [, b]) => b - a).slice(0, 5)
  const text = most.map(([place, count]) => `${place} ${grouped(count)}`).join(', ')
  const are = sum === 1 ? 'is' : 'are'
  return `${plural(sum, 'failure')} outside of namespace ${namespace} ${are} not shown: ${text}${byPlace.size > 5 ? ', …' : ''}; without -n they are`
}

/** As kubectl takes it: `30s`, a number of seconds, `0` for no limit. */
function timeoutMs(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : durationMs('--request-timeout', text)
  return Math.min(ms, 2 ** 31 - 1)
}
