/** What we ask of the Dockerfile beyond what Docker's own checks know. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { environmentName, OPTIONS } from '../../src/optionTable.ts'

const ROOT = join(import.meta.dirname, '../..')
const FOLDER = join(ROOT, 'deploy/docker')

interface Instruction {
  name: string
  text: string
}

/** Instructions with their continuation lines put together, comments left out. */
function instructionsOf(dockerfile: string): Instruction[] {
  const lines = dockerfile.replace(/^\s*#.*\n/gm, '').replace(/\\\n/g, ' ')
  return [...lines.matchAll(/^([A-Z]+)\s+(.+)$/gm)].map(([, name, text]) => ({ name: name!, text: text! }))
}

const instructions = instructionsOf(readFileSync(join(FOLDER, 'Dockerfile'), 'utf8'))
const textsOf = (name: string) => instructions.filter(one => one.name === name).map(one => one.text)
const finalStage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'))
const lastOf = (name: string) => finalStage.findLast(one => one.name === name)?.text

test('every base has a tag that says a version', () => {
  const values = new Map(
    [
      ...textsOf('ARG')
        .join('\n')
        .matchAll(/^(\w+)=(.+)$/gm)
    ].map(([, name, value]) => [name, value!])
  )
  const bases = textsOf('FROM').map(text =>
    text.split(' ')[0]!.replace(/\$\{(\w+)\}/g, (_all, name) => values.get(name) ?? '')
  )
  expect(bases.length).toBe(3)
  expect(bases.filter(base => !/:\d+\.\d+\.\d+[\w.-]*$/.test(base))).toEqual([])
})

test('it runs as a numeric user who is not root', () => {
  expect(lastOf('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/)
})

test('nothing is fetched but packages, and those are pinned by a lock file or a distribution', () => {
  expect(textsOf('ADD')).toEqual([])
  const runs = textsOf('RUN')
  expect(runs.filter(run => /\b(?:curl|wget|git clone|npx)\b/.test(run))).toEqual([])
  expect(runs.filter(run => /\bnpm (?:install|i|add)\b/.test(run))).toEqual([])
  expect(runs.filter(run => /\bnpm ci\b/.test(run)).length).toBe(2)
})

test('packages of Debian come without recommendations and leave no lists', () => {
  const runs = textsOf('RUN').filter(run => run.includes('apt-get install'))
  expect(runs.length).toBe(2)
  for (const run of runs) {
    expect(run).toMatch(/^apt-get update /)
    expect(run).toContain('apt-get install -y --no-install-recommends ')
    expect(run).toContain('rm -rf /var/lib/apt/lists/*')
  }
})

test('signals reach the program, and it says how it is', () => {
  expect(JSON.parse(lastOf('ENTRYPOINT')!)).toEqual(['tini', '--', 'why5xx'])
  expect(JSON.parse(lastOf('CMD')!)).toEqual(['run'])
  const [, command] = /CMD (\[.*\])$/.exec(lastOf('HEALTHCHECK')!)!
  expect(JSON.parse(command!).slice(0, 2)).toEqual(['node', '-e'])
})

test('its variables are options, and no secrets', () => {
  const names = [
    ...finalStage
      .filter(({ name }) => name === 'ENV')
      .map(({ text }) => text)
      .join(' ')
      .matchAll(/(\w+)=/g)
  ].map(([, name]) => name!)
  const options = new Set(OPTIONS.map(({ path }) => environmentName(path)))
  expect(names.filter(name => name.startsWith('WHY5XX_')).length).toBe(2)
  expect(names.filter(name => name.startsWith('WHY5XX_') && !options.has(name))).toEqual([])
})

test('versions are those of the package and of the pinned client', () => {
  const { version, peerDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  expect(textsOf('ARG')).toContain(`VERSION=${version}`)
  const { dependencies } = JSON.parse(readFileSync(join(FOLDER, 'node-rdkafka/package.json'), 'utf8'))
  expect(peerDependencies['node-rdkafka']).toBe(`^${dependencies['node-rdkafka']}`)
})

test('what is copied is there, and not ignored', () => {
  const allowed = readFileSync(join(FOLDER, 'Dockerfile.dockerignore'), 'utf8')
    .split('\n')
    .filter(line => line.startsWith('!'))
    .map(line => line.slice(1))
  const copied = textsOf('COPY')
    .filter(text => !text.startsWith('--from='))
    .flatMap(text => text.split(/\s+/).slice(0, -1))
  expect(copied.length).toBeGreaterThan(5)
  expect(copied.filter(path => !existsSync(join(ROOT, path)))).toEqual([])
  expect(copied.filter(path => !allowed.includes(path))).toEqual([])
  expect(allowed.filter(path => !copied.includes(path))).toEqual([])
})

test('what the compose files start is JavaScript that this Node can read', () => {
  for (const script of ['kubelet', 'load', 'upstream'])
    expect(() => execFileSync(process.execPath, ['--check', join(FOLDER, 'demo', `${script}.mjs`)])).not.toThrow()
})
