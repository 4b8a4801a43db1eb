/** `why5xx check` of brokers that are not there, and of settings that cannot be; what is there is checked on a real broker. */
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { checkKafka } from '../../src/check/kafka.ts'
import type { KafkaConfig } from '../../src/clusterOptions.ts'
import { defaultConfig } from '../../src/optionTable.ts'

const settings: KafkaConfig = defaultConfig().source.kafka

test('nobody listens', async () => {
  expect(await checkKafka({ ...settings, brokers: ['127.0.0.1:1'] })).toMatchObject([
    {
      about: 'source.kafka.brokers',
      state: 'problem',
      text: expect.stringMatching(/^127\.0\.0\.1:1: they cannot be asked: .*ECONNREFUSED/) as string,
      mend: expect.stringMatching(/^start the brokers, set source\.kafka\.brokers/) as string
    }
  ])
})

test('what listens is no broker: it is said, and soon', async () => {
  const server = createServer(
    socket =>
      void socket
        .on('error', () => {})
        .resume()
        .end('HTTP/1.1 400 Bad Request\r\n\r\n')
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const startedMs = performance.now()
  const findings = await checkKafka({ ...settings, brokers: [`127.0.0.1:${port}`] })
  expect(findings).toMatchObject([{ about: 'source.kafka.brokers', state: 'problem' }])
  expect(performance.now() - startedMs).toBeLessThan(20_000)
  await new Promise(resolve => server.close(resolve))
})

test.each<[string, Partial<KafkaConfig>, string]>([
  ['an address without a port', { brokers: ['kafka'] }, 'brokers'],
  ['a file that is not there', { tls: { ...settings.tls, caFile: '/nowhere/ca.pem' } }, 'tls.caFile'],
  ['a login without a user', { sasl: { ...settings.sasl, mechanism: 'plain' } }, 'sasl.username']
])('a wrong setting: %s', async (_name, wrong, option) => {
  expect(await checkKafka({ ...settings, ...wrong })).toMatchObject([
    { about: `source.kafka.${option}`, state: 'problem', mend: `mend source.kafka.${option}` }
  ])
})
