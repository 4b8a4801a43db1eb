/** Opens Elasticsearch for writing: the checks, the writer, and what goes on beside it. */

import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { ElasticsearchConfig } from '../../clusterOptions.ts'
import { durationMs } from '../../timeOption.ts'
import type { KeepRejects } from '../keptReject.ts'
import type { StoreWriter } from '../store.ts'
import { checkVersion, openClient } from './connection.ts'
import { IndexNames } from './names.ts'
import type { Timing } from './patience.ts'
import { keepRetention } from './retention.ts'
import { assertTemplates } from './setup.ts'
import type { Lifecycle } from './templates.ts'
import { ElasticsearchWriter } from './writer.ts'

/** About 1 KiB each. */
const ROLLUP_KEYS_MAX = 50_000

export interface ElasticsearchWriterOptions {
  config: ElasticsearchConfig
  clusterName: string
  /** Name of this process, the same after a restart; default: `clusterName/hostname`. */
  instance?: string
  /** Where original bytes of rejects go; null: nowhere. */
  keepRejects: KeepRejects | null
  /** False: what is refused was refused before, and is rejected at once; default: true. */
  holdsRefused?: boolean
  /** One sentence for the log. */
  notify: (text: string) => void
}

export const SYSTEM_TIMING: Timing = {
  now: Date.now,
  random: Math.random,
  wait: (ms, signal) => delay(ms, undefined, { signal, ref: true }).catch(() => {})
}

/** Throws Why5xxError: `WHY5XX_CONFIG`, or `WHY5XX_STORE` when the cluster cannot be used as it is. */
export async function openElasticsearchWriter(options: ElasticsearchWriterOptions): Promise<StoreWriter> {
  const { config, clusterName, keepRejects, notify } = options
  const names = new IndexNames(config.namespace)
  const client = openClient(config)
  try {
    await checkVersion(client)
    await assertTemplates(client)
    const writer = await ElasticsearchWriter.open({
      client,
      names,
      clusterName,
      instance: options.instance ?? `${clusterName}/${hostname()}`,
      claim: randomUUID(),
      keepRejects,
      holdsRefused: options.holdsRefused ?? true,
      timing: SYSTEM_TIMING,
      notify,
      rollupKeysMax: ROLLUP_KEYS_MAX
    })
    if (config.lifecycle === 'own') {
      const timer = keepRetention({ client, names, lifecycle: lifecycleOf(config), notify })
      writer.onClose(() => clearInterval(timer))
    }
    return writer
  } catch (error) {
    await client.close()
    throw error
  }
}

export function lifecycleOf({ retention, rollupRetention }: ElasticsearchConfig): Lifecycle {
  return {
    retentionMs: durationMs('sink.elasticsearch.retention', retention),
    rollupRetentionMs: durationMs('sink.elasticsearch.rollupRetention', rollupRetention)
  }
}
