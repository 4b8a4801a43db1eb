/** Our own health: is what the other dashboards show whole, current and well founded? */

import type { Measure } from '../store/table.ts'
import type { Dashboard } from './dashboard.ts'
import { barsBy, panel, TABLE } from './panels.ts'
import { numbers, overTime, ranking, shareOfFailures, TABLE_ROWS } from './questions.ts'

const LINES: Measure = { as: 'lines', count: true }
const FAILURES: Measure = { as: 'failures', count: true }
export const health: Dashboard = {
  name: 'health',
  title: 'why5xx health',
  description: 'Whether why5xx itself keeps up, reads everything and finds causes.',
  params: [],
  panels: [
    panel(
      [0, 0, 12, 5],
      [
        'rejects',
        'Rejected lines',
        'Lines no parser accepts and documents the store refused: none, unless a log format is unknown.'
      ],
      { type: 'metric', value: 'lines' },
      numbers('reject', [], [LINES])
    ),
    panel(
      [12, 0, 12, 5],
      [
        'joined',
        'Joined with an error line, %',
        'Of all failures, also those that have none. It falls where the log level is above error, or stderr gets lost.'
      ],
      { type: 'metric', value: 'share' },
      shareOfFailures('joined', { field: 'why5xx.join.state', is: ['joined'] })
    ),
    panel(
      [24, 0, 12, 5],
      [
        'cluster-known',
        'Judged with the state of the cluster, %',
        'Failures for which pods and events were known: 0 where nothing watches the cluster.'
      ],
      { type: 'metric', value: 'share' },
      shareOfFailures('known', { field: 'why5xx.cluster.known', is: [true] })
    ),
    panel(
      [36, 0, 12, 5],
      [
        'lost-bytes',
        'Bytes that were never read',
        'Gaps of the source: rotated away, truncated, or past the retention of a topic.'
      ],
      { type: 'metric', value: 'bytes' },
      numbers(
        'controller',
        [{ field: 'event.dataset', is: ['why5xx.gap'] }],
        [
          { as: 'gaps', count: true },
          { as: 'bytes', sum: 'why5xx.gap.bytes' }
        ]
      )
    ),
    panel(
      [0, 5, 24, 10],
      [
        'processing-lag',
        'Processing lag, s',
        'Seconds from the oldest failure that was written in a bucket to the last write in it; a catch-up begins high.'
      ],
      { type: 'lines', x: 'written', y: ['lag_s'] },
      {
        from: 'failure',
        where: [],
        timeField: 'event.ingested',
        by: [{ as: 'written', bucketOf: 'event.ingested' }],
        measures: [
          { as: 'oldest', min: '@timestamp' },
          { as: 'newest_written', max: 'event.ingested' },
          { as: 'lag_s', secondsBetween: ['oldest', 'newest_written'] }
        ],
        sort: [{ by: 'written', order: 'ascending' }],
        limit: 5_000
      }
    ),
    panel(
      [24, 5, 24, 10],
      [
        'joins-over-time',
        'Joins',
        'How failures got their evidence: both lines, the access line alone, the error line alone, or a tie.'
      ],
      barsBy('join'),
      overTime('failure', [], { by: [{ as: 'join', field: 'why5xx.join.state' }], measures: [FAILURES] })
    ),
    panel(
      [0, 15, 24, 10],
      ['rejects-over-time', 'Rejects by code', 'What was wrong with the lines that were rejected.'],
      barsBy('code', 'lines'),
      overTime('reject', [], { by: [{ as: 'code', field: 'error.code' }], measures: [LINES] })
    ),
    panel(
      [24, 15, 24, 10],
      [
        'partitions-over-time',
        'Requests by partition',
        'One partition alone at 0: its lines do not come. All uneven: few controllers, or a missing key.'
      ],
      { type: 'lines', x: 'time', y: ['requests'], breakdown: 'partition' },
      overTime('rollup', [], {
        by: [{ as: 'partition', field: 'why5xx.rollup.partition' }],
        measures: [{ as: 'requests', sum: 'why5xx.rollup.requests' }]
      })
    ),
    panel(
      [0, 25, 24, 12],
      ['rejects-by-code', 'Rejects', 'why5xx replay --rejects reads them again once a parser knows them.'],
      TABLE,
      ranking('reject', [], {
        by: [
          { as: 'stage', field: 'why5xx.reject.stage' },
          { as: 'code', field: 'error.code' },
          { as: 'index', field: 'why5xx.reject.index' }
        ],
        measures: [LINES, { as: 'first_seen', min: '@timestamp' }, { as: 'last_seen', max: '@timestamp' }],
        sort: [{ by: 'lines', order: 'descending' }]
      })
    ),
    panel(
      [24, 25, 24, 12],
      ['streams', 'Streams', 'What is read, and the newest minute of each: one that stays behind is stuck or silent.'],
      TABLE,
      {
        from: 'rollup',
        where: [],
        timeField: '@timestamp',
        by: [{ as: 'stream', field: 'why5xx.rollup.stream' }],
        measures: [
          { as: 'newest_minute', max: '@timestamp' },
          { as: 'requests', sum: 'why5xx.rollup.requests' },
          { as: 'failures', sum: 'why5xx.rollup.failures' }
        ],
        sort: [{ by: 'newest_minute', order: 'ascending' }],
        limit: TABLE_ROWS
      }
    ),
    panel(
      [0, 37, 24, 12],
      [
        'unclassified',
        'Unclassified failures',
        'By kind of error message and statuses. Report those that come back: the rules lack them.'
      ],
      TABLE,
      ranking('failure', [{ field: 'why5xx.cause', is: ['unclassified'] }], {
        by: [
          { as: 'status', field: 'http.response.status_code' },
          { as: 'upstream_status', field: 'why5xx.upstream.status' },
          { as: 'error', field: 'error.type' },
          { as: 'rule', field: 'why5xx.rule.id' }
        ],
        measures: [FAILURES, { as: 'example', max: 'event.id' }]
      })
    ),
    panel(
      [24, 37, 24, 12],
      ['gaps', 'Gaps', 'What nobody could read, by stream and reason.'],
      TABLE,
      ranking('controller', [{ field: 'event.dataset', is: ['why5xx.gap'] }], {
        by: [
          { as: 'stream', field: 'why5xx.gap.name' },
          { as: 'reason', field: 'why5xx.gap.reason' }
        ],
        measures: [
          { as: 'gaps', count: true },
          { as: 'bytes', sum: 'why5xx.gap.bytes' },
          { as: 'last_seen', max: '@timestamp' }
        ],
        sort: [{ by: 'gaps', order: 'descending' }]
      })
    )
  ]
}
