import { expect, test } from 'vitest'
import { kafkaError } from '../../../src/source/kafka/kafkaError.ts'

test('a group that one may not read: kafkajs drops what the brokers said, and the sentence says what it may be', () => {
  const found = Object.assign(new Error('Failed to find group coordinator'), {
    name: 'KafkaJSGroupCoordinatorNotFound'
  })
  const retried = Object.assign(new Error('Number of retries exceeded'), { cause: found })
  const connection = { brokers: ['kafka:9092'], tls: null, sasl: null }
  expect(kafkaError('cannot read topic t', connection, retried).message).toBe(
    'cannot read topic t (brokers kafka:9092): the brokers name no coordinator of the group: our user may not read the group, or they are just starting'
  )
})
