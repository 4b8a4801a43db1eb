import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { cached, cacheFolder, entryOf, type Recipe } from './testCache.ts'

let folder: string
let source: string
let builds: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'why5xx-test-'))
  vi.stubEnv('WHY5XX_TEST_CACHE', join(folder, 'cache'))
  source = join(folder, 'source')
  writeFileSync(source, 'one')
  builds = 0
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function recipe(build: (folder: string) => Promise<void> = async () => {}): Recipe {
  return {
    name: 'thing-1.0',
    files: [source],
    async build(target) {
      builds++
      writeFileSync(join(target, 'result'), readFileSync(source))
      await build(target)
    }
  }
}

test('an entry is built once, and again when its source or a fact has changed', async () => {
  const entry = await cached(recipe())
  expect(await cached(recipe())).toBe(entry)
  expect(builds).toBe(1)
  writeFileSync(source, 'two')
  const other = await cached(recipe())
  expect(readFileSync(join(other, 'result'), 'utf8')).toBe('two')
  expect(readFileSync(join(entry, 'result'), 'utf8')).toBe('one')
  expect(entryOf({ ...recipe(), facts: ['another Node'] })).not.toBe(other)
})

test('of two that build at once both get a whole entry, and nothing else is left', async () => {
  let release = () => {}
  const both = new Promise<void>(resolve => {
    release = resolve
  })
  const waiting = recipe(async () => {
    if (builds === 2) release()
    await both
  })
  const [first, second] = await Promise.all([cached(waiting), cached(waiting)])
  expect(builds).toBe(2)
  expect(second).toBe(first)
  expect(readdirSync(cacheFolder()).map(name => join(cacheFolder(), name))).toEqual([first])
})

test('a build that fails leaves nothing and is tried again', async () => {
  const failing = recipe(() => Promise.reject(new Error('no network')))
  await expect(cached(failing)).rejects.toThrow('no network')
  expect(readdirSync(cacheFolder())).toEqual([])
  expect(existsSync(await cached(recipe()))).toBe(true)
})

test('what a killed run was building is removed, what a living one builds is not', async () => {
  // No process has this id: Linux gives none above 2^22.
  const abandoned = join(cacheFolder(), 'other-1.0-abc.building-99999999-0')
  const underWay = join(cacheFolder(), `other-1.0-abc.building-${process.pid}-0`)
  for (const name of [abandoned, underWay]) mkdirSync(name, { recursive: true })
  await cached(recipe())
  expect([existsSync(abandoned), existsSync(underWay)]).toEqual([false, true])
})

test('it lies where the environment says, else in the cache of the user', () => {
  vi.stubEnv('WHY5XX_TEST_CACHE', '')
  vi.stubEnv('XDG_CACHE_HOME', '/somewhere')
  expect(cacheFolder()).toBe('/somewhere/why5xx-tests')
})
