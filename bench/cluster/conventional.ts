import kafkajs from 'kafkajs'

/**
 * What most teams write first: a message, an object, a regular expression. It counts requests and failures, and stops
 * behind the number of messages given.
 *
 *   node dist/bench/cluster/conventional.js BROKERS TOPIC MESSAGES
 */
const { Kafka, logLevel } = kafkajs
const [brokers = '', topic = '', count = ''] = process.argv.slice(2)
const ACCESS =
  /^(?<client>\S+) - (?<user>.*?) \[(?<time>[^\]]+)\] "(?<request>[^"]*)" (?<status>\d{3}) (?<bytes>\d+) "(?<referrer>[^"]*)" "(?<agent>[^"]*)" (?<length>\d+) (?<seconds>[\d.]+) \[(?<upstream>[^\]]*)\] \[(?<alternative>[^\]]*)\] (?<address>.+?) (?<upstreamLength>[\d, :-]+) (?<upstreamTime>[\d., :-]+) (?<upstreamStatus>[\d, :-]+) (?<id>\S+)$/

const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'conventional', logLevel: logLevel.NOTHING })
const consumer = kafka.consumer({ groupId: `conventional-${process.pid}`, maxBytes: 8 << 20 })
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })

const perMinute = new Map<string, number>()
const failures: Record<string, string>[] = []
let requests = 0
let failed = 0
let seen = 0
await new Promise<void>(resolve => {
  void consumer.run({
    partitionsConsumedConcurrently: 3,
    eachMessage: async ({ message }) => {
      const { log } = JSON.parse(message.value!.toString()) as { log: string }
      const fields = ACCESS.exec(log)?.groups
      if (fields !== undefined) {
        requests++
        const key = `${fields.time!.slice(0, 17)} ${fields.upstream} ${fields.status}`
        perMinute.set(key, (perMinute.get(key) ?? 0) + 1)
        if (Number(fields.status) >= 500) {
          failed++
          failures.push({ ...fields })
          if (failures.length >= 1_000) failures.length = 0
        }
      }
      if (++seen >= Number(count)) resolve()
    }
  })
})
console.log(JSON.stringify({ requests, failed }))
process.exit(0)
