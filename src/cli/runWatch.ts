import type { ClusterWatch } from '../clusterWatch.ts'
import type { Logger } from '../logger.ts'
import { MetricRegistry } from '../metricRegistry.ts'
import type { WebTokens } from '../secrets.ts'
import { addWatchMetrics } from '../watchMetrics.ts'
import type { RunningServer } from '../web/server.ts'
import { listen } from './listening.ts'
import type { LoadedOptions } from './options.ts'
import { Stop } from './stop.ts'

const SUMMARY_MS = 60_000

/** Beside a worker or alone. Says when it ends before it is told to. */
export async function startWatch({ config }: LoadedOptions, logger: Logger): Promise<ClusterWatch> {
  const { ClusterWatch } = await import('../clusterWatch.ts')
  const watching = await ClusterWatch.start(config, {
    say: text => logger.warn(text),
    log: (level, text, fields) => logger[level](text, fields)
  })
  void watching.done.then(() => {
    if (watching.failure !== null)
      logger.error('the cluster is not watched any more: root causes are missing from now on', {
        error: watching.failure
      })
  })
  return watching
}

/** `run` with the role watch alone: no source and no sink is opened. Returns the exit code. */
export async function runWatch(loaded: LoadedOptions, tokens: WebTokens, logger: Logger): Promise<number> {
  const stop = new Stop(text => logger.info(text), 'stopping; what was seen is recorded')
  let watching: ClusterWatch | null = null
  let server: RunningServer | null = null
  let timer: NodeJS.Timeout | undefined
  try {
    watching = await startWatch(loaded, logger)
    const metrics = new MetricRegistry()
    metrics.addProcess()
    addWatchMetrics(metrics, watching.metrics)
    server = await listen(
      loaded,
      tokens,
      { metrics, health: () => watching!.health, ready: () => watching!.unready },
      logger
    )
    const { signal } = stop
    const told = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    timer = setInterval(() => logger.info('a minute of watching', { ...watching?.summary }), SUMMARY_MS)
    if (!signal.aborted) await Promise.race([told, watching.done])
    if (watching.failure !== null) throw watching.failure
    await watching.close()
    logger.info('stopped', watching.summary)
    return stop.exitCode ?? 0
  } finally {
    clearInterval(timer)
    stop.release()
    await server?.close()
    // What is said of a record that is not whole was said above, or there is another error.
    await watching?.close().catch(() => {})
  }
}
