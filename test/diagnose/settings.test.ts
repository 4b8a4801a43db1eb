import { expect, test } from 'vitest'
import { givenTo, masked } from '../../src/diagnose/commandLine.ts'
import { hostsIn } from '../../src/diagnose/dependencies.ts'
import { quantityOf } from '../../src/diagnose/quantity.ts'
import { secondsOf } from '../../src/diagnose/setting.ts'

test.each([
  ['orders-db', ['orders-db']],
  ['orders-db:5432', ['orders-db']],
  ['orders-db.data.svc.cluster.local.:5432', ['orders-db.data.svc.cluster.local']],
  ['postgres://app:p@ss@orders-db:5432/shop?sslmode=off', ['orders-db']],
  ['jdbc:postgresql://orders-db.data/shop', ['orders-db.data']],
  ['app:secret@tcp(orders-db:3306)/shop', ['orders-db']],
  ['kafka-0.kafka:9092,kafka-1.kafka:9092', ['kafka-0.kafka', 'kafka-1.kafka']],
  ['10.0.0.7:80', []],
  ['/var/run/app.sock', []],
  ['', []]
])('hosts in %s', (text, hosts) => {
  expect(hostsIn(text)).toEqual(hosts)
})

test.each([
  ['20', 20],
  ['1m', 60],
  ['500ms', 0.5],
  ['off', null]
])('%s is %s seconds', (text, seconds) => {
  expect(secondsOf(text)).toBe(seconds)
})

test.each([
  ['500m', 0.5],
  ['2', 2],
  ['250000000n', 0.25],
  ['1Ki', 1024],
  ['a lot', null],
  [undefined, null]
])('%s is the quantity %s', (text, quantity) => {
  expect(quantityOf(text)).toBe(quantity)
})

test('flags, their values, and variables', () => {
  const container = {
    name: 'app',
    command: ['sh', '-c', 'gunicorn --bind=0.0.0.0:80 --keep-alive 2 --reload app:app'],
    env: [
      { name: 'HOST', value: '::1' },
      { name: 'SECRET', valueFrom: {} }
    ]
  }
  expect(givenTo(container).filter(({ name }) => name !== '')).toEqual([
    { name: '-c', value: 'gunicorn', from: 'command' },
    { name: '--bind', value: '0.0.0.0:80', from: 'command' },
    { name: '--keep-alive', value: '2', from: 'command' },
    { name: '--reload', value: 'app:app', from: 'command' },
    { name: 'HOST', value: '::1', from: 'env' }
  ])
})

test.each([
  ['postgres://app:p@ss@db:5432/shop', 'postgres://***@db:5432/shop'],
  ['app:hunter2@tcp(db:3306)/shop', '***@tcp(db:3306)/shop'],
  ['http://db:80/a', 'http://db:80/a']
])('credentials in %s', (text, without) => {
  expect(masked(text)).toBe(without)
})

test('no credentials in what is cited', () => {
  expect(masked('postgres://app:hunter2@db:5432/shop --password=hunter2 --api-key hunter2 --port 80')).toBe(
    'postgres://***@db:5432/shop --password=*** --api-key *** --port 80'
  )
})
