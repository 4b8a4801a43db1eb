import { expect, test } from 'vitest'
import { UPSTREAMINFO } from '../../parsers/logFormat.ts'
import { checkLogFormat } from '../../src/check/clusterController.ts'

const OWN = `${UPSTREAMINFO} tenant=$http_x_tenant`

test.each([
  // what, log-format-upstream, logFormat, state, text, what to do
  ['the default', null, 'auto', 'ok', /default format/, null],
  ['the default, and another one expected', null, OWN, 'hint', /logFormat is set to another/, /auto/],
  ['a known one', UPSTREAMINFO, 'auto', 'ok', /known format upstreaminfo/, null],
  ['one of its own that nobody was told', OWN, 'auto', 'hint', /not always recognised/, /^--set 'logFormat=.*tenant/],
  ['one of its own that is configured', OWN, OWN, 'ok', /is log-format-upstream/, null],
  ['another than the configured one', OWN, UPSTREAMINFO, 'problem', /logFormat is not/, /^--set/],
  ['one that leaves out who answered', '$status "$request"', 'auto', 'hint', /leaves out \$upstream_addr/, /add them/],
  ['variables with nothing between them', '$status$upstream_addr$request', 'auto', 'problem', /taken apart/, /blank/]
] as const)('log format: %s', (_what, format, configured, state, text, mend) => {
  const finding = checkLogFormat(key => (key === 'log-format-upstream' ? format : null), configured)
  expect(finding).toMatchObject({ about: 'logFormat', state })
  expect(finding.text).toMatch(text)
  if (mend === null) expect(finding.mend).toBeNull()
  else expect(finding.mend).toMatch(mend)
})

test('JSON is read by its keys, whatever its escaping is called', () => {
  const format =
    '{"status": $status, "a": "$upstream_addr", "s": "$upstream_status", "u": "$proxy_upstream_name", "t": $request_time}'
  const settings = new Map([
    ['log-format-upstream', format],
    ['log-format-escape-json', 'true']
  ])
  expect(checkLogFormat(key => settings.get(key) ?? null, 'auto')).toMatchObject({ state: 'ok' })
})
