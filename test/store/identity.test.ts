/** Ids name a line by where it was written and its bytes: the same after a replay, a resend, a backfill. */
import { describe, expect, test } from 'vitest'
import { MASK_ALL, MASK_NOTHING } from '../../src/mask.ts'
import { Fingerprints, fingerprint, lineId } from '../../src/store/identity.ts'
import { accessLine, cri, errorLine, MESSAGES as M, prefixed } from '../support/lines.ts'
import { documentsOf, EXAMPLES, options, POD, T } from './examples.ts'

const EXPECTED_ID = '7_TJuvh3K0lTpmPIhTSVxf'

describe('identity', () => {
  const access = accessLine({ timeMs: T, status: 502, up: '10.2.3.14:8080|0|0.001|502' })
  const idOf = (lines: string[], given = options()): string => {
    const built = documentsOf(lines, given)
    return built.at(-1)!.id
  }
  const ok = accessLine({ timeMs: T, status: 200, request: 'GET /other HTTP/1.1' })

  test('22 characters of base64url, the same as `event.id`', () => {
    const [built] = documentsOf([access])
    expect(built!.id).toMatch(/^[\w-]{22}$/)
    expect(built!.document).toMatchObject({ event: { id: built!.id } })
  })

  test('with a stamp: the same line wherever it is read', () => {
    const id = idOf([prefixed(T, POD, access)])
    expect(idOf([prefixed(T - 5, POD, ok), prefixed(T, POD, access)])).toBe(id)
    expect(idOf([prefixed(T, POD, access)], options(MASK_ALL, 'another-file'))).toBe(id)
    expect(idOf([prefixed(T, POD, access)], options(MASK_NOTHING))).toBe(id)
    expect(idOf([`${prefixed(T, POD, access)}\r`])).toBe(id)
  })

  test('one pod under either kubelet path', () => {
    const wrap = (path: string) =>
      JSON.stringify({ log: `${access}\n`, stream: 'stdout', time: '2026-11-21T10:02:11.000000001Z', log_path: path })
    const hash = 'a'.repeat(64)
    expect(idOf([wrap(`/var/log/containers/${POD}_ingress-nginx_controller-${hash}.log`)])).toBe(
      idOf([wrap(`/var/log/pods/ingress-nginx_${POD}_0a1b2c3d-1111-2222-3333-444455556666/controller/0.log`)])
    )
  })

  test.each<[string, string[]]>([
    ['another byte', [prefixed(T, POD, access.replace('curl/8.7.1', 'curl/8.7.2'))]],
    ['another nanosecond', [prefixed(T + 0.000_25, POD, access)]],
    ['another pod', [prefixed(T, `${POD}x`, access)]],
    ['no pod', [cri(T, 'stdout', access)]]
  ])('%s: another id', (_name, lines) => {
    expect(idOf(lines)).not.toBe(idOf([prefixed(T, POD, access)]))
  })

  test('stdout and stderr are two places', () => {
    expect(idOf([cri(T, 'stderr', access)])).not.toBe(idOf([cri(T, 'stdout', access)]))
  })

  test('without a stamp: file and offset', () => {
    expect(idOf([access])).toBe(idOf([access]))
    expect(idOf([ok, access])).not.toBe(idOf([access]))
    expect(idOf([access], options(MASK_ALL, 'another-file'))).not.toBe(idOf([access]))
  })

  test('of the access line when there is one, else of the first error line', () => {
    const error = prefixed(T - 1, POD, errorLine({ timeMs: T, message: M.prematureClose, upstream: '10.2.3.14:8080' }))
    expect(idOf([error, prefixed(T, POD, access)])).toBe(idOf([prefixed(T, POD, access)]))
    const [tls] = documentsOf(EXAMPLES['client-tls-handshake']!)
    expect(tls!.id).toMatch(/^[\w-]{22}$/)
  })

  test('the formula is the one that is written down', () => {
    // printf 'v1\ns\nstdout\n2026-11-21T10:02:11Z\nline' | openssl dgst -sha256 -binary | basenc --base64url
    const line = { stream: 'stdout' as const, written: '2026-11-21T10:02:11Z', byteOffset: 7, raw: 'line' }
    expect(lineId('s', line)).toBe(EXPECTED_ID)
    expect(lineId('s', { ...line, byteOffset: 8 })).toBe(EXPECTED_ID)
    expect(lineId('s', { ...line, written: '' })).not.toBe(lineId('s', { ...line, written: '', byteOffset: 8 }))
  })

  test('a fingerprint is of the first KiB, or of what lies before the line: it is the same when the file has grown', () => {
    const head = Buffer.alloc(2_000, 'a')
    expect(fingerprint(head, 1_500)).toBe(fingerprint(head.subarray(0, 1_024), 9_000))
    expect(fingerprint(head, 1_500)).not.toBe(fingerprint(head.subarray(0, 1_023), 1_500))
    expect(fingerprint(head, 300)).toBe(fingerprint(head.subarray(0, 310), 300))
    expect(fingerprint(head, 300)).not.toBe(fingerprint(head, 301))
  })

  test('fingerprints of files go by name; what is no file goes by its name', () => {
    const files = new Fingerprints()
    const head = Buffer.alloc(2_000, 'a')
    files.add('access.log', head.subarray(0, 500))
    const young = files.of('access.log', 300)
    files.add('access.log', head)
    expect(files.of('access.log', 300)).toBe(young)
    expect(files.of('access.log', 5_000)).toBe(fingerprint(head, 5_000))
    expect(files.of('stdin', 5)).toBe('stdin')
  })
})
