/** What the chart has its containers run, run: their arguments, environment and files against real servers. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { freePort } from '../../services/freePort.ts'
import { type Helm, isHelmAvailable, openHelm } from '../../services/helmProgram.ts'
import { eventually } from '../../services/latch.ts'
import { makeServerFolder } from '../../services/serverProcess.ts'
import { type ContainerFiles, containerFiles } from '../../support/containerFiles.ts'
import { why5xx } from '../../support/program.ts'
import { podSpecs, render, valuesOf } from '../../support/renderedChart.ts'
import { RunningProgram } from '../../support/runningProgram.ts'
import { ClusterBed } from './bed.ts'

const areThere = inject('kafka') !== null && inject('elasticsearch') !== null
const BUILD_MS = 30 * 60_000
const TOKEN = 'a-token-of-the-metrics'

describe.skipIf(!areThere || !isHelmAvailable())('the containers of the chart', () => {
  let helm: Helm
  let bed: ClusterBed

  beforeAll(async () => {
    helm = await openHelm()
    bed = new ClusterBed('chart')
    await bed.prepare(3)
  }, BUILD_MS)
  afterAll(() => bed?.remove())

  /** On a machine each has a port of its own; in pods they share one. */
  async function containerOf(pod: string): Promise<ContainerFiles & { address: string }> {
    const port = await freePort()
    const { options } = bed
    const values = {
      'kafka.brokers': `{${String(options['source.kafka.brokers'])}}`,
      'kafka.topic': bed.topic,
      'kafka.rejectTopic': bed.rejectTopic,
      'kafka.groupId': bed.namespace,
      'kafka.partitions': 3,
      'kafka.kubernetesTopic': `${bed.namespace}.kubernetes`,
      'kafka.incidentTopic': `${bed.namespace}.incidents`,
      'elasticsearch.nodes': `{${String(options['sink.elasticsearch.nodes'])}}`,
      'elasticsearch.namespace': bed.namespace,
      'metrics.port': port,
      'metrics.existingSecret': 'metrics',
      'setup.enabled': true
    }
    const flags = Object.entries(values).flatMap(([path, value]) => ['--set', `${path}=${value}`])
    const manifests = await render(helm, valuesOf('least'), ...flags)
    const files = containerFiles(manifests, pod, makeServerFolder('container'), () => TOKEN)
    return { ...files, address: `http://127.0.0.1:${port}` }
  }

  /** The pod that asks all roles whether they are ready, led to one of them. */
  async function askedByTest(address: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const spec = podSpecs(await render(helm, valuesOf('least'))).get('why5xx-test-ready')
    const { command, args } = spec!.containers[0]!
    expect(command![0]).toBe('node')
    const asked = args.map(text => text.replace(/^http:\/\/why5xx-\w+:8055(?=\/)/, address))
    expect(asked.filter(text => text === `${address}/readyz`)).toHaveLength(3)
    const done = await promisify(execFile)(process.execPath, [...command!.slice(1), ...asked])
    return { code: 0, ...done }
  }

  /** Until it is ready, and then to its end. */
  async function readyAndStopped(pod: string): Promise<void> {
    const { args, env, address } = await containerOf(pod)
    const run = new RunningProgram(args, env)
    const metrics = (token: string) =>
      fetch(`${address}/metrics`, { headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status)
    try {
      // Group, store and topics: seconds, on a busy machine more than a minute.
      const isReady = () =>
        fetch(`${address}/readyz`)
          .then(({ ok }) => ok || undefined)
          .catch(() => undefined)
      await eventually(isReady, `${pod} is ready`, 180_000)
      expect((await fetch(`${address}/healthz`)).status).toBe(200)
      if (pod === 'why5xx-worker') expect(await askedByTest(address)).toMatchObject({ code: 0, stderr: '' })
      expect([await metrics(TOKEN), await metrics('another-token-entirely')]).toEqual([200, 401])
    } finally {
      await run.kill('SIGTERM')
    }
    expect(await run.exit).toEqual({ code: 0, signal: null })
  }

  test('setup finds the cluster, and puts the templates there', async () => {
    const { args, env } = await containerOf('why5xx-setup')
    const { code, stdout, stderr } = await why5xx(args, { env })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/index template why5xx-failure\n/)
  })

  test('the test of the chart finds that a worker would work', async () => {
    const { args, env } = await containerOf('why5xx-test-check')
    const { code, stdout, stderr } = await why5xx(args, { env })
    expect(stdout).toContain('configuration: ok')
    expect(code, stdout).toBe(0)
    expect(stderr).toBe('')
    expect(stdout).toContain(bed.topic)
  })

  test('worker and alert become ready, show metrics to who has the token, and end well', async () => {
    await Promise.all(['why5xx-worker', 'why5xx-alert'].map(readyAndStopped))
  })

  test('why5xx-watch needs nothing but the account of its pod', async () => {
    const { args, env } = await containerOf('why5xx-watch')
    const { code, stderr } = await why5xx(args, { env })
    expect(stderr).toContain('not in a pod of a cluster (KUBERNETES_SERVICE_HOST is not set)')
    expect(code).not.toBe(0)
  })

  test('an option that is not there ends a container with a sentence', async () => {
    const { args, env } = await containerOf('why5xx-worker')
    const { code, stderr } = await why5xx(args, { env: { ...env, WHY5XX_SERVICE_HOST: '10.0.0.1' } })
    expect(stderr).toContain('unknown option WHY5XX_SERVICE_HOST')
    expect(code).toBe(2)
  })
})
