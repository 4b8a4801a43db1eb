import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { findJava } from './java.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'why5xx-test-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function install(name: string, version: string, tools: string[]): string {
  const home = join(folder, name)
  mkdirSync(join(home, 'bin'), { recursive: true })
  writeFileSync(join(home, 'release'), `IMPLEMENTOR="test"\nJAVA_VERSION="${version}"\n`)
  for (const tool of tools) writeFileSync(join(home, 'bin', tool), '')
  return home
}

test('a home that the environment names is taken when it is new enough and has the tool', () => {
  const runtime = install('runtime', '99.0.1', ['java'])
  const kit = install('kit', '98', ['java', 'javac'])
  vi.stubEnv('ES_JDK', runtime)
  vi.stubEnv('JAVA_HOME', kit)
  expect(findJava(98, 'java')).toBe(runtime)
  expect(findJava(98, 'javac')).toBe(kit)
  expect(findJava(99, 'java')).toBe(runtime)
})

test('none is found where all are too old or no Java at all', () => {
  vi.stubEnv('ES_JDK', install('old', '17.0.15', ['java', 'javac']))
  vi.stubEnv('JAVA_HOME', join(folder, 'missing'))
  vi.stubEnv('PATH', folder)
  expect(findJava(200, 'javac')).toBeNull()
})
