import { Why5xxError } from '../errors.ts'
import type { Config } from '../optionTable.ts'
import type { ReplayedIncidents, ReplayedSpan } from '../replayIncidents.ts'

export const NO_INCIDENTS: ReplayedIncidents = { found: 0, stored: 0 }

/**
 * Works out the incidents of what was read, behind its documents; `path`: that store instead of the configured one. What goes wrong
 * is said, and the documents are stored all the same.
 */
export async function storeIncidents(
  config: Config,
  path: string | undefined,
  span: ReplayedSpan,
  warn: (text: string) => void
): Promise<ReplayedIncidents> {
  if (!Number.isFinite(span.fromMs) || !Number.isFinite(span.toMs)) return NO_INCIDENTS
  const { storeReplayedIncidents } = await import('../replayIncidents.ts')
  const { openReader } = await import('../store/open.ts')
  const { openIncidentWriter } = await import('../store/openIncidents.ts')
  const reader = await openReader(config, path)
  try {
    const writer = await openIncidentWriter(config, { notify: warn })
    try {
      return await storeReplayedIncidents({ ...span, reader, writer, clusterName: config.clusterName, warn })
    } finally {
      await writer.close()
    }
  } catch (error) {
    if (!(error instanceof Why5xxError)) throw error
    warn(`incidents were not stored: ${error.message}`)
    return NO_INCIDENTS
  } finally {
    await reader.close()
  }
}
