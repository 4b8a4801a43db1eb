import { parseListen } from '../listenOption.ts'
import type { Logger } from '../logger.ts'
import type { WebTokens } from '../secrets.ts'
import { missingToken } from '../web/listenAdvice.ts'
import { type RunningServer, type ServerParts, startServer } from '../web/server.ts'
import type { LoadedOptions } from './options.ts'

/** Health, readiness and metrics at `web.listen`; says where, and what is missing there. */
export async function listen(
  { config }: LoadedOptions,
  { token, metricsToken }: WebTokens,
  answers: Pick<ServerParts, 'metrics' | 'health' | 'ready'>,
  logger: Logger
): Promise<RunningServer> {
  const address = parseListen('web.listen', config.web.listen)
  const server = await startServer({
    listen: address,
    token,
    metricsToken,
    ...answers,
    onError: error => logger.error('an answer failed', { error })
  })
  logger.info(`listening on ${server.address}`, { address: server.address })
  const advice = missingToken(address, [token, metricsToken].filter(secret => secret !== null).length)
  if (advice !== null) logger.warn(advice)
  return server
}
