/**
 * A real nginx makes every fault it can be made to make, and why5xx must tell each from its logs alone.
 *
 * Not made here: config_reload and controller_config (the controller's own lines, no nginx writes them), unclassified, the
 * texts of musl, duplicate lengths before nginx 1.23 (which lets them pass), and a TLS 1.3 backend that demands a client
 * certificate (Node's servers close the connection instead of sending the alert).
 *
 * WHY5XX_KEEP_NGINX_LOGS=DIR keeps access.log, error.log, controller.cri.log and truth.json in DIR.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LabRecords, mislabelled, readCri, readFiles } from '../services/labLogs.ts'
import { judge, parseDocuments } from '../services/labVerdict.ts'
import { findNginx } from '../services/nginx.ts'
import { type LabLogs, runNginxLab } from '../services/nginxLab.ts'

const SEED = 20_261_121
const KEPT = process.env.WHY5XX_KEEP_NGINX_LOGS
const COMMAND = join(import.meta.dirname, '../../dist/main.js')

const program = findNginx()
if (program === null) {
  const missing = 'nginx or openssl is not in PATH (Debian: apt-get install nginx libnginx-mod-http-lua openssl)'
  if (process.env.CI === 'true') throw new Error(missing)
  console.warn(`SKIPPED, nothing of it was tested: ${missing}`)
} else if (program.luaModules === '') {
  console.warn('LEFT OUT, the faults of Lua: libnginx-mod-http-lua is not installed')
}

const FORMS: [string, (logs: LabLogs) => LabRecords, (logs: LabLogs) => [string, string]][] = [
  ['two files', readFiles, logs => [logs.accessFile, logs.errorFile]],
  ['one CRI file', readCri, logs => [logs.criFile, logs.criFile]]
]

describe.skipIf(program === null)('the faults of a real nginx', () => {
  let directory: string
  let logs: LabLogs

  beforeAll(async () => {
    directory = KEPT ?? mkdtempSync(join(tmpdir(), 'why5xx-nginx-'))
    logs = await runNginxLab(program!, directory, SEED)
  }, 120_000)

  afterAll(() => {
    if (KEPT === undefined) rmSync(directory, { recursive: true, force: true })
  })

  test.each(FORMS)('stand in the logs as they are labelled: %s', (_name, read) => {
    expect(mislabelled(logs.requests, read(logs))).toEqual([])
  })

  test.each(FORMS)('are explained: %s', (_name, read, filesOf) => {
    expect(existsSync(COMMAND), `${COMMAND} is missing: npm run build`).toBe(true)
    const files = filesOf(logs)
    const printed = explain([...new Set(files)])
    expect(printed.status, printed.stderr).toBe(0)
    expect(printed.stdout.split('\n').filter(line => line.includes('secret'))).toEqual([])

    const verdict = judge(logs.requests, read(logs), parseDocuments(printed.stdout), files)
    expect(verdict.falseAlarms).toEqual([])
    expect(verdict.causesRight, verdict.table).toBeGreaterThanOrEqual(0.995)
    expect(verdict.errorLinesRight, verdict.table).toBeGreaterThanOrEqual(0.98)
    expect(verdict.joinsRight, verdict.table).toBeGreaterThanOrEqual(0.98)
    expect(verdict.wrongFields).toEqual([])
    expect(verdict.silentOverloads).toEqual([])
  })
})

function explain(files: readonly string[]) {
  // The variables of this test are not why5xx's configuration, and would be refused as such.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WHY5XX_')))
  return spawnSync(process.execPath, [COMMAND, 'explain', '--format', 'ndjson', ...files], {
    encoding: 'utf8',
    maxBuffer: 512 * 1024 * 1024,
    timeout: 120_000,
    env
  })
}
