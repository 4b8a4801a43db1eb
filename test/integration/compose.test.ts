/**
 * The compose files and the Dockerfile before Docker's own checks, compiled from their sources: no engine is needed, and no image is
 * fetched. What an engine would do with them is not tested here; deploy/docker/README.md says what was run.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { isAvailable } from '../services/availability.ts'
import {
  type ComposeProject,
  type ComposeService,
  type DockerTools,
  dockerTools,
  missingForDockerTools
} from '../services/dockerTools.ts'

const FOLDER = join(import.meta.dirname, '../../deploy/docker')
const COMPILE_MS_MAX = 20 * 60_000
/** Its image holds one program and no shell: nothing in it could ask how it is. */
const WITHOUT_HEALTHCHECK = ['fluent-bit']

const isHere = isAvailable("Docker's checks", missingForDockerTools())

describe.skipIf(!isHere)('deploy/docker', () => {
  let tools: DockerTools

  beforeAll(async () => {
    tools = await dockerTools()
  }, COMPILE_MS_MAX)

  test('the Dockerfile has nothing that `docker build --check` warns of', async () => {
    expect(await tools.lint(join(FOLDER, 'Dockerfile'))).toEqual({ warnings: null, sources: null })
  })

  describe.each(['compose.yaml', 'compose.embedded.yaml'])('%s', file => {
    let services: [string, ComposeService][]
    let project: ComposeProject

    beforeAll(async () => {
      project = await tools.composeConfig(join(FOLDER, file))
      services = Object.entries(project.services)
    })

    /** Names of services of which something holds. */
    const named = (holds: (service: ComposeService, name: string) => boolean) =>
      services.filter(([name, service]) => holds(service, name)).map(([name]) => name)

    test('every image has a tag that says a version', () => {
      expect(named(({ image }) => !/^[\w.-]+(?:\/[\w.-]+)*:v?\d+\.\d+\.\d+[\w.-]*$/.test(image ?? ''))).toEqual([])
    })

    test('what is built is built from the Dockerfile here', () => {
      const built = services.flatMap(([, { build }]) => (build === undefined ? [] : [build]))
      expect(built.length).toBeGreaterThan(0)
      for (const { context, dockerfile } of built) expect(existsSync(join(context, dockerfile))).toBe(true)
    })

    test('every service says how it is, or ends by itself', () => {
      const awaited = services.flatMap(([, { depends_on }]) =>
        Object.entries(depends_on ?? {})
          .filter(([, { condition }]) => condition === 'service_completed_successfully')
          .map(([name]) => name)
      )
      const mute = named(({ healthcheck, build, restart }, name) => {
        const endsByItself = awaited.includes(name) || (restart ?? '').startsWith('on-failure')
        const isAsked = healthcheck?.test !== undefined || (build !== undefined && healthcheck?.disable !== true)
        return !endsByItself && !isAsked
      })
      expect(mute).toEqual(WITHOUT_HEALTHCHECK.filter(name => name in project.services))
    })

    test('who waits for another one waits until it is well, or has ended well', () => {
      const careless = services.flatMap(([name, { depends_on }]) =>
        Object.entries(depends_on ?? {})
          .filter(([, { condition }]) => !/^service_(?:healthy|completed_successfully)$/.test(condition))
          .map(([other]) => `${name} → ${other}`)
      )
      expect(careless).toEqual([])
    })

    test('every file that is mounted is there, and cannot be written to', () => {
      const binds = services.flatMap(([, { volumes }]) => volumes ?? []).filter(({ type }) => type === 'bind')
      expect(binds.length).toBeGreaterThan(0)
      expect(binds.filter(({ source }) => !existsSync(source!)).map(({ source }) => source)).toEqual([])
      expect(binds.filter(({ read_only }) => read_only !== true)).toEqual([])
    })

    test('ports are published on loopback alone, each once', () => {
      const ports = services.flatMap(([, service]) => service.ports ?? [])
      expect(ports.filter(({ host_ip }) => host_ip !== '127.0.0.1')).toEqual([])
      const published = ports.map(port => port.published)
      expect(new Set(published).size).toBe(published.length)
    })

    test('every service is bounded, and ours and those of the demo cannot write to their images', () => {
      expect(named(({ mem_limit }) => !(Number(mem_limit) > 0))).toEqual([])
      const ours = named(({ image }) => /why5xx|^node:|^nginx:/.test(image ?? ''))
      expect(ours.length).toBeGreaterThan(5)
      expect(ours.filter(name => project.services[name]?.read_only !== true)).toEqual([])
    })

    test('every variable of why5xx is an option with a value that it takes', () => {
      const environments = services.map(([, { environment }]) =>
        Object.fromEntries(Object.entries(environment ?? {}).map(([name, value]) => [name, value ?? '']))
      )
      expect(environments.flatMap(Object.keys).filter(name => name.startsWith('WHY5XX_')).length).toBeGreaterThan(1)
      for (const environment of environments)
        expect(() => loadConfig({ file: null, environment, set: [] })).not.toThrow()
    })

    test('no secret stands in it', () => {
      const told = services.flatMap(([, { environment }]) => Object.keys(environment ?? {}))
      expect(told.filter(name => /PASSWORD|SECRET|TOKEN|API_?KEY|CREDENTIAL/i.test(name))).toEqual([])
    })

    test('the demo has the addresses that nginx and the state of its cluster name', () => {
      const given = services.flatMap(([, { networks }]) =>
        Object.values(networks ?? {}).flatMap(network => network?.ipv4_address ?? [])
      )
      const upstreams = addressesIn('demo/nginx.conf', /server (10\.[\d.]+):8080 max_fails/g)
      const pods = addressesIn('demo/cluster.json', /"podIP": "([\d.]+)"/g)
      expect(upstreams.length).toBe(5)
      expect(given).toEqual(expect.arrayContaining(upstreams))
      expect(pods).toEqual(expect.arrayContaining(upstreams))
    })
  })
})

function addressesIn(file: string, pattern: RegExp): string[] {
  return [...readFileSync(join(FOLDER, file), 'utf8').matchAll(pattern)].map(([, address]) => address!)
}
