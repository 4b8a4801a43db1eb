import { expect, test } from 'vitest'
import { badRequestPage, isNoBody, isOwnPage } from '../../src/classify/pages.ts'

test.each<[name: string, status: number, bodyBytes: number | null, isOwn: boolean]>([
  ['plain', 502, 150, true],
  ['Chrome', 502, 552, true],
  ['with version', 502, 157, true],
  ['Chrome, with version', 504, 569, true],
  ['two-digit patch', 504, 168, true],
  ['openresty of the older controllers', 400, 163, true],
  ['after 100 Continue', 413, 201, true],
  ["an application's", 502, 61, false],
  ['redirect', 308, 164, true],
  ['redirects are never padded', 308, 566, false],
  ['no page', 499, 0, false],
  ['cut off', 502, null, false]
])('%s: %i with %s bytes', (_name, status, bodyBytes, isOwn) => {
  expect(isOwnPage(status, bodyBytes)).toBe(isOwn)
})

test.each([
  [150, 'plain'],
  [163, 'plain'],
  [226, 'header_too_large'],
  [233, 'header_too_large'],
  [208, 'bad_certificate'],
  [610, 'bad_certificate'],
  [230, 'no_certificate'],
  [237, 'no_certificate'],
  [650, 'http_on_tls_port'],
  [42, null]
])('400 with %i bytes: %s', (bodyBytes, page) => {
  expect(badRequestPage(bodyBytes)).toBe(page)
})

test('an interim response is no body', () => {
  expect([0, 25, 150, null].map(isNoBody)).toEqual([true, true, false, false])
})
