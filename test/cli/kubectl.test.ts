/** `kubectl why5xx` with a scripted API server: flags, and that it says what `explain` says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { USUAL_SELECTORS } from '../../src/cluster/controllers.ts'
import { listOf, ScriptedApi, sendJson } from '../cluster/scriptedApi.ts'
import { controllerPod } from '../kubectl/controllerPod.ts'
import { accessLine } from '../support/lines.ts'
import { kubectlHere, why5xx } from '../support/program.ts'

const INCIDENT = join(import.meta.dirname, '../../samples/incidents/wrong-target-port/controller.log')
const DAY = ['--from', '2026-11-21T00:00Z', '--to', '2026-11-22T00:00Z']

let api: ScriptedApi
let log: string

beforeEach(async () => {
  api = await ScriptedApi.start()
  log = ''
  api.answer = ({ path, parameters, response }) => {
    if (path.endsWith('/log')) {
      response.writeHead(200, { 'content-type': 'text/plain' }).end(log)
      return true
    }
    if (parameters.get('labelSelector') !== USUAL_SELECTORS[0]) return false
    return sendJson(response, listOf([controllerPod('a', { started: '2026-11-01T00:00:00Z' })]))
  }
})
afterEach(() => api.stop())

const run = (...args: string[]) => kubectlHere(['--kubeconfig', api.kubeconfig(), ...args])

describe('the answer', () => {
  test('is that of explain', async () => {
    log = readFileSync(INCIDENT, 'utf8')
    const { code, stdout, stderr } = await run('-o', 'json', ...DAY)
    const of = (text: string) => {
      // It knows the cluster, `explain` of the log alone does not.
      const { byRootCause: _, ...report } = JSON.parse(text) as { incidents: object[]; byRootCause?: unknown }
      return { ...report, incidents: report.incidents.map(incident => ({ ...incident, rootCause: null })) }
    }
    expect(of(stdout)).toEqual(of((await why5xx(['explain', '--format', 'json', ...DAY, INCIDENT])).stdout))
    expect(of(stdout)).toMatchObject({ failures: 313 })
    expect([code, stderr]).toEqual([0, ''])
  })

  test('lines that nobody understands are looked at where they came from', async () => {
    const status = (code: number) => accessLine({ timeMs: Date.UTC(2026, 10, 21, 10), status: code })
    log = `${status(502)}\n${status(502).slice(0, 60)}\n${status(200)}\n`
    const { stdout } = await run(...DAY)
    expect(stdout).toContain('kubectl logs … | why5xx check - shows them')
  })

  test('nothing was written', async () => {
    const { code, stdout, stderr } = await run('--since', '5m')
    expect([code, stdout]).toEqual([0, ''])
    expect(stderr).toContain('the controllers have written nothing in that time: see --since')
  })
})

describe('flags', () => {
  test.each([
    ['a group without a user', ['--as-group', 'ops'], /--as-group needs --as/],
    ['another format', ['-o', 'yaml'], /Allowed choices are text, json/],
    ['no duration', ['--since', 'yesterday'], /--since yesterday: expected a duration/],
    ['no time', ['--request-timeout', 'soon'], /--request-timeout soon: expected a duration/],
    ['since and from', ['--since', '1h', '--from', '-2h'], /say the same thing/],
    ['an unknown cause', ['--cause', 'conection_refused'], /did you mean connection_refused/],
    ['an unknown context', ['--context', 'production'], /there is no context "production" \(there are: scripted\)/],
    ['a name too many', ['shop'], /too many arguments/]
  ])('%s is told before anybody is asked: exit code 2', async (_name, args, message) => {
    const { code, stderr } = await run(...args)
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
    expect(api.asked).toEqual([])
  })

  test('an answer that does not come is not waited for longer than asked', async () => {
    api.answer = ({ path }) => path === '/version'
    const { code, stderr } = await run('--request-timeout', '1s')
    expect(stderr).toContain('no answer for 1 s')
    expect(code).toBe(1)
  })

  test('help has examples and names what it needs', async () => {
    const { code, stdout } = await run('--help')
    expect(stdout).toMatch(/kubectl why5xx -n shop --since 15m[\s\S]*Needs get and list of pods and pods\/log/)
    expect(code).toBe(0)
  })
})
