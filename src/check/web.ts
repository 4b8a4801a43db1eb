/** Whether the listener can be had, and whether its tokens are kept well. */

import { statSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import type { Why5xxError } from '../errors.ts'
import { type ListenAddress, listenText, parseListen } from '../listenOption.ts'
import type { Config } from '../optionTable.ts'
import { readTokens, type WebTokens } from '../secrets.ts'
import { listenError, missingToken } from '../web/listenAdvice.ts'
import { type Finding, hint, ok, problem } from './finding.ts'

/** Whoever listens answers at once, or is not us. */
const ANSWER_MS = 1_000

export async function checkWeb(web: Config['web']): Promise<Finding[]> {
  const listen = parseListen('web.listen', web.listen)
  const findings = [await checkListen(listen)]
  let tokens: WebTokens | null = null
  try {
    tokens = readTokens(web)
  } catch (error) {
    const { message } = error as Why5xxError
    const [, about, text] = /^(\S+): (.*)$/s.exec(message)!
    findings.push(problem(about!, text!, 'write one token into it, readable for the user of why5xx'))
  }
  for (const about of ['tokenFile', 'metricsTokenFile'] as const) {
    const file = web[about]
    if (file !== null && tokens !== null) findings.push(checkTokenFile(`web.${about}`, file))
  }
  const given = [web.token, web.tokenFile, web.metricsToken, web.metricsTokenFile].filter(value => value !== null)
  const missing = missingToken(listen, given.length)
  if (missing !== null) {
    const [text, mend] = missing.split(': ') as [string, string]
    findings.push(
      hint('web.listen', text.replace('web.listen ', ''), `${mend}; probes of /healthz and /readyz need none`)
    )
  }
  return findings
}

function checkTokenFile(about: string, file: string): Finding {
  const mode = statSync(file).mode & 0o777
  if ((mode & 0o004) === 0) return ok(about, `${file} holds a token`)
  const octal = mode.toString(8).padStart(4, '0')
  return hint(about, `${file} can be read by every user of this machine (mode ${octal})`, `chmod 600 ${file}`)
}

/** Binds it, and lets go of it. */
async function checkListen(listen: ListenAddress): Promise<Finding> {
  const error = await bindError(listen)
  if (error === null) return ok('web.listen', `${listenText(listen)} is free`)
  if (error.code === 'EADDRINUSE' && (await isWhy5xx(listen)))
    return hint(
      'web.listen',
      `${listenText(listen)}: a why5xx listens there already`,
      'end it before you start another one with the same address'
    )
  const { message } = listenError(listen, error)
  const [, text] = /^web\.listen (.*)$/s.exec(message)!
  return problem('web.listen', text!, 'set web.listen, such as 127.0.0.1:8055')
}

function bindError({ host, port }: ListenAddress): Promise<NodeJS.ErrnoException | null> {
  const server = createServer()
  return new Promise(resolve => {
    server.once('error', resolve)
    server.listen({ port, ...(host !== null && { host }) }, () => server.close(() => resolve(null)))
  })
}

function isWhy5xx({ host, port }: ListenAddress): Promise<boolean> {
  const isEvery = host === null || host === '0.0.0.0' || host === '::'
  return new Promise(resolve => {
    const asked = get({
      host: isEvery ? 'localhost' : host,
      port,
      path: '/healthz',
      agent: false,
      signal: AbortSignal.timeout(ANSWER_MS)
    })
    asked.on('response', answer => {
      resolve(answer.headers.server === 'why5xx')
      answer.destroy()
    })
    // It speaks no HTTP, or not in time: somebody else.
    asked.on('error', () => resolve(false))
  })
}
