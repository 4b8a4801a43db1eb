/** A stand-in for a shipper. */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { fluentBitValue, SHIPPED_FROM, shippedRecords } from '../../support/shippedLog.ts'

const { Kafka, logLevel, CompressionTypes } = kafkajs

export async function standIn(root: string, brokers: string[], topic: string) {
  const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  const places = new Map<string, number>()
  let over = false
  const send = async () => {
    const folder = join(root, 'containers')
    for (const name of readdirSync(folder)) {
      const path = join(folder, name)
      const real = realpathSync(path)
      for (const file of [
        ...readdirSync(join(real, '..'))
          .filter(n => n !== '0.log')
          .map(n => join(real, '..', n)),
        real
      ]) {
        const key = String(statSync(file).ino)
        const bytes = readFileSync(file)
        const end = bytes.lastIndexOf(10) + 1
        const from = places.get(key) ?? 0
        const fresh = bytes.subarray(from, end)
        const messages = shippedRecords(fresh).map(record => ({
          key: path,
          value: fluentBitValue({ ...record, offset: record.offset + from }, { ...SHIPPED_FROM, path })
        }))
        if (messages.length > 0) await producer.send({ topic, messages, compression: CompressionTypes.GZIP })
        places.set(key, end)
      }
    }
  }
  const loop = (async () => {
    while (!over) {
      await send()
      await new Promise(resolve => setTimeout(resolve, 200))
    }
    await send()
  })()
  return {
    async stop() {
      over = true
      await loop
      await producer.disconnect()
    }
  }
}
