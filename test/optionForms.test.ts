/** Texts of options and what they mean. */
import { expect, test } from 'vitest'
import { isLoopback, listenText, parseListen } from '../src/listenOption.ts'
import { parseSize, sizeText } from '../src/sizeOption.ts'

test.each<[string, string | null, number, boolean]>([
  ['127.0.0.1:8055', '127.0.0.1', 8055, true],
  ['127.9.9.9:1', '127.9.9.9', 1, true],
  ['localhost:0', 'localhost', 0, true],
  ['[::1]:8055', '::1', 8055, true],
  ['[::ffff:127.0.0.1]:80', '::ffff:127.0.0.1', 80, true],
  [':8055', null, 8055, false],
  ['0.0.0.0:8055', '0.0.0.0', 8055, false],
  ['[::]:65535', '::', 65535, false],
  ['10.0.0.7:8055', '10.0.0.7', 8055, false],
  ['ingress-1.example.com:8055', 'ingress-1.example.com', 8055, false],
  ['localhost.example.com:8055', 'localhost.example.com', 8055, false]
])('web.listen %s', (text, host, port, loopback) => {
  const address = parseListen('web.listen', text)
  expect(address).toEqual({ host, port })
  expect(isLoopback(address)).toBe(loopback)
  expect(listenText(address)).toBe(text)
})

test.each([
  '',
  '8055',
  'localhost',
  '::1:8055',
  '[127.0.0.1]:80',
  '[::1]',
  '256.0.0.1:80',
  '1.2.3:80',
  ':',
  ':65536',
  ':-1',
  ':80 ',
  'http://localhost:80',
  'a_b:80'
])('web.listen "%s" is refused', text => {
  expect(() => parseListen('web.listen', text)).toThrow(`web.listen ${text}: expected ADDRESS:PORT, such as`)
})

test.each([
  ['20GiB', 20 * 2 ** 30, '20 GiB'],
  ['1.5 TiB', 1.5 * 2 ** 40, '1.5 TiB'],
  ['500MB', 500e6, '477 MiB'],
  ['2kB', 2_000, '2 KiB'],
  ['64KiB', 65_536, '64 KiB'],
  ['0B', 0, '0 B']
])('a size: %s', (text, bytes, back) => {
  expect(parseSize('size', text)).toBe(bytes)
  expect(sizeText(bytes)).toBe(back)
})

test.each(['', '20', '20G', 'GiB', '-1GiB', '1e3MB', '1,5GiB', '20 gib', '1.GiB'])('a size: "%s" is refused', text => {
  expect(() => parseSize('size', text)).toThrow(`size ${text}: expected a size with its unit`)
})
