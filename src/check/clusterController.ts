/** Whether the controllers are found, and their log is one that can be read whole. */

import { compileLogFormat, KNOWN_FORMATS } from '../../parsers/logFormat.ts'
import { ApiError, type Connection, getJson } from '../cluster/apiRequest.ts'
import { type Controller, findControllers } from '../cluster/controllers.ts'
import { ownField } from '../cluster/fieldShape.ts'
import { pathOf } from '../cluster/resources.ts'
import { canI, howToAllow, rightOf } from '../cluster/rights.ts'
import { Why5xxError } from '../errors.ts'
import { costOf } from '../kubectl/refusals.ts'
import type { Config } from '../optionTable.ts'
import { plural, quoteForShell } from '../text.ts'
import { type Finding, hint, ok, problem } from './finding.ts'

const ABOUT = 'controller'
const NAMESPACE = 'kubernetes.controllerNamespace'
const CONFIG_MAP = 'ConfigMap'
const LOG_FORMAT = 'logFormat'
/** The watch role reads this one. */
const USUAL_CONFIG_MAP = 'ingress-nginx-controller'
const SILENT_MS = 10_000
/** Below these no error line tells what an attempt failed of. */
const QUIET_LEVELS: ReadonlySet<unknown> = new Set(['crit', 'alert', 'emerg'])
/** Without them the causes of an access line alone are guesses. */
const WANTED_VARIABLES = ['status', 'upstream_addr', 'upstream_status', 'proxy_upstream_name', 'request_time']

type Settings = Pick<Config, 'kubernetes' | 'logFormat'>

export async function checkController(connection: Connection, config: Settings): Promise<Finding[]> {
  let controllers: Controller[]
  try {
    controllers = await findControllers(connection, { selector: null, namespace: null, container: null })
  } catch (error) {
    if (!(error instanceof Why5xxError)) throw error
    return [
      hint(
        ABOUT,
        error.message,
        'nothing is to be mended where its labels are its own, and kubectl why5xx gets --selector'
      )
    ]
  }
  const names = controllers.slice(0, 5).map(({ namespace, pod }) => `${namespace}/${pod}`)
  const found = `${plural(controllers.length, 'controller')}: ${names.join(', ')}${controllers.length > 5 ? ', …' : ''}`
  const findings = [ok(ABOUT, found)]
  const { controllerNamespace } = config.kubernetes
  const places = [...new Set(controllers.map(({ namespace }) => namespace))]
  if (!places.includes(controllerNamespace))
    findings.push(
      problem(
        NAMESPACE,
        `it is ${controllerNamespace}, and the controllers are in ${places.join(', ')}: the watch role does not find their ConfigMap`,
        `set kubernetes.controllerNamespace to ${places[0]}`
      )
    )
  const configMaps = new Map(
    controllers.map(({ configMap }) => [`${configMap.namespace}/${configMap.name}`, configMap])
  )
  for (const [name, configMap] of configMaps) {
    if (configMap.name !== USUAL_CONFIG_MAP)
      findings.push(
        hint(
          CONFIG_MAP,
          `${name}: the watch role reads ${USUAL_CONFIG_MAP} alone, so the settings of this one are not recorded${costOf(['ConfigMap'])}`,
          'add it to the files of kubernetes.snapshots'
        )
      )
    findings.push(...(await checkConfigMap(connection, configMap, config)))
  }
  return findings
}

async function checkConfigMap(
  connection: Connection,
  { namespace, name }: { namespace: string; name: string },
  config: Settings
): Promise<Finding[]> {
  const title = `${namespace}/${name}`
  const path = `${pathOf('ConfigMap', namespace)}/${encodeURIComponent(name)}`
  let data: unknown
  try {
    data = ownField(await getJson(connection, path, {}, { silentMs: SILENT_MS }), 'data')
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 401 || error.status === null) throw error
    const right = rightOf('get', 'ConfigMap', namespace)
    if (error.status === 403)
      return [
        hint(
          CONFIG_MAP,
          `${title} may not be read${costOf(['ConfigMap'])}, nor whether its log format can be parsed`,
          `${howToAllow(right)}; resourceNames: [${name}] is enough`
        )
      ]
    if (error.status === 404) return [ok(CONFIG_MAP, `${title} is not there: the controller runs on its defaults`)]
    return [hint(CONFIG_MAP, `${title} cannot be read: ${error.said}`, canI(right))]
  }
  const setting = (key: string): string | null => {
    const value = ownField(data, key)
    return typeof value === 'string' && value !== '' ? value : null
  }
  return [ok(CONFIG_MAP, `${title} can be read`), ...checkLogging(setting), checkLogFormat(setting, config.logFormat)]
}

function checkLogging(setting: (key: string) => string | null): Finding[] {
  const findings: Finding[] = []
  if (setting('disable-access-log') === 'true')
    findings.push(
      problem(
        CONFIG_MAP,
        'disable-access-log is true: there are no access lines to count',
        'take disable-access-log out'
      )
    )
  const level = setting('error-log-level')
  if (level !== null && QUIET_LEVELS.has(level))
    findings.push(
      problem(
        CONFIG_MAP,
        `error-log-level is ${level}: error lines are not written, and causes rest on access lines alone`,
        'set error-log-level to error or notice'
      )
    )
  if (setting('skip-access-log-urls') !== null)
    findings.push(
      hint(
        CONFIG_MAP,
        'skip-access-log-urls leaves requests out of the log, and so out of every rate',
        'nothing, if that is meant'
      )
    )
  return findings
}

/** Whether lines of `log-format-upstream` come back as records. Exported for its tests. */
export function checkLogFormat(setting: (key: string) => string | null, configured: string): Finding {
  const format = setting('log-format-upstream')
  if (format === null)
    return configured === 'auto'
      ? ok(LOG_FORMAT, 'the controller writes its default format')
      : hint(
          LOG_FORMAT,
          'the controller writes its default format, and logFormat is set to another',
          'set logFormat to auto'
        )
  const escaping = setting('log-format-escape-json') === 'true' ? 'json' : 'default'
  const mend = `--set ${quoteForShell(`logFormat=${format}`)}${escaping === 'json' ? ' --set logFormatEscape=json' : ''}`
  try {
    compileLogFormat(format, 'log-format-upstream', escaping)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return problem(
      LOG_FORMAT,
      `log-format-upstream cannot be taken apart again: ${error.message}`,
      'put a blank or quotes between the two variables'
    )
  }
  const missing = WANTED_VARIABLES.filter(name => !new RegExp(`\\$\\{?${name}\\b`).test(format))
  if (missing.length > 0)
    return hint(
      LOG_FORMAT,
      `log-format-upstream leaves out ${missing.map(name => `$${name}`).join(', ')}: causes are less sure without`,
      'add them to log-format-upstream'
    )
  if (configured === format) return ok(LOG_FORMAT, 'logFormat is log-format-upstream of the controller')
  if (configured !== 'auto') return problem(LOG_FORMAT, 'logFormat is not log-format-upstream of the controller', mend)
  const known = KNOWN_FORMATS.find(one => one.format === format)
  if (known !== undefined) return ok(LOG_FORMAT, `log-format-upstream is the known format ${known.name}`)
  if (format.trimStart().startsWith('{'))
    return ok(LOG_FORMAT, 'log-format-upstream is JSON, which is read by its keys')
  return hint(LOG_FORMAT, 'log-format-upstream is a format of its own, which is not always recognised', mend)
}
