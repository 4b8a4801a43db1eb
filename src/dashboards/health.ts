/** Our own health: is what the other dashboards show whole, current and well founded? */

import type { Measure } from '../store/table.ts'
import type { Dashboard } from './dashboard.ts'
import { numbers, overTime, ranking, TABLE_ROWS } from './questions.ts'

const LINES: Measure = { as: 'lines', count: true }
const FAILURES: Measure = { as: 'failures', count: true }

export const health: Dashboard = {
  name: 'health',
  title: 'why5xx health',
  description: 'Whether why5xx itself keeps up, reads everything and finds causes.',
  params: [],
  panels: [
    {
      id: 'rejects',
      title: 'Rejected lines',
      description: 'Lines no parser accepts and documents the store refused: none, unless a log format is unknown.',
      shape: { type: 'metric', value: 'lines' },
      query: numbers('reject', [], [LINES]),
      grid: { x: 0, y: 0, w: 12, h: 5 }
    },
    {
      id: 'joined',
      title: 'Joined with an error line, %',
      description: 'Of failures with an error line to find: a low share is a log level above error, or lost stderr.',
      shape: { type: 'metric', value: 'share' },
      query: numbers(
        'failure',
        [],
        [
          { as: 'joined', count: true, where: [{ field: 'why5xx.join.state', is: ['joined'] }] },
          FAILURES,
          { as: 'share', percent: ['joined', 'failures'] }
        ]
      ),
      grid: { x: 12, y: 0, w: 12, h: 5 }
    },
    {
      id: 'cluster-known',
      title: 'Judged with the state of the cluster, %',
      description: 'Failures for which pods and events were known: 0 where nothing watches the cluster.',
      shape: { type: 'metric', value: 'share' },
      query: numbers(
        'failure',
        [],
        [
          { as: 'known', count: true, where: [{ field: 'why5xx.cluster.known', is: [true] }] },
          FAILURES,
          { as: 'share', percent: ['known', 'failures'] }
        ]
      ),
      grid: { x: 24, y: 0, w: 12, h: 5 }
    },
    {
      id: 'lost-bytes',
      title: 'Bytes that were never read',
      description: 'Gaps of the source: rotated away, truncated, or past the retention of a topic.',
      shape: { type: 'metric', value: 'bytes' },
      query: numbers(
        'controller',
        [{ field: 'event.dataset', is: ['why5xx.gap'] }],
        [
          { as: 'gaps', count: true },
          { as: 'bytes', sum: 'why5xx.gap.bytes' }
        ]
      ),
      grid: { x: 36, y: 0, w: 12, h: 5 }
    },
    {
      id: 'processing-lag',
      title: 'Processing lag, s',
      description:
        'From the oldest failure that was written in a bucket to the bucket: seconds, or minutes in a catch-up.',
      shape: { type: 'lines', x: 'written', y: ['lag_s'] },
      query: {
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
      },
      grid: { x: 0, y: 5, w: 24, h: 10 }
    },
    {
      id: 'joins-over-time',
      title: 'Joins',
      description:
        'How failures got their evidence: both lines, the access line alone, the error line alone, or a tie.',
      shape: { type: 'bars', x: 'time', y: ['failures'], breakdown: 'join' },
      query: overTime('failure', [], { by: [{ as: 'join', field: 'why5xx.join.state' }], measures: [FAILURES] }),
      grid: { x: 24, y: 5, w: 24, h: 10 }
    },
    {
      id: 'rejects-over-time',
      title: 'Rejects by code',
      description: 'What was wrong with the lines that were rejected.',
      shape: { type: 'bars', x: 'time', y: ['lines'], breakdown: 'code' },
      query: overTime('reject', [], { by: [{ as: 'code', field: 'error.code' }], measures: [LINES] }),
      grid: { x: 0, y: 15, w: 24, h: 10 }
    },
    {
      id: 'partitions-over-time',
      title: 'Requests by partition',
      description: 'One partition alone at 0: its lines do not come. All uneven: few controllers, or a missing key.',
      shape: { type: 'lines', x: 'time', y: ['requests'], breakdown: 'partition' },
      query: overTime('rollup', [], {
        by: [{ as: 'partition', field: 'why5xx.rollup.partition' }],
        measures: [{ as: 'requests', sum: 'why5xx.rollup.requests' }]
      }),
      grid: { x: 24, y: 15, w: 24, h: 10 }
    },
    {
      id: 'rejects-by-code',
      title: 'Rejects',
      description: 'why5xx replay --rejects reads them again once a parser knows them.',
      shape: { type: 'table' },
      query: ranking('reject', [], {
        by: [
          { as: 'stage', field: 'why5xx.reject.stage' },
          { as: 'code', field: 'error.code' },
          { as: 'index', field: 'why5xx.reject.index' }
        ],
        measures: [LINES, { as: 'first_seen', min: '@timestamp' }, { as: 'last_seen', max: '@timestamp' }],
        sort: [{ by: 'lines', order: 'descending' }]
      }),
      grid: { x: 0, y: 25, w: 24, h: 12 }
    },
    {
      id: 'streams',
      title: 'Streams',
      description: 'What is read, and the newest minute of each: one that stays behind is stuck or silent.',
      shape: { type: 'table' },
      query: {
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
      },
      grid: { x: 24, y: 25, w: 24, h: 12 }
    },
    {
      id: 'unclassified',
      title: 'Unclassified failures',
      description: 'By kind of error message and statuses. Report those that come back: the rules lack them.',
      shape: { type: 'table' },
      query: ranking('failure', [{ field: 'why5xx.cause', is: ['unclassified'] }], {
        by: [
          { as: 'status', field: 'http.response.status_code' },
          { as: 'upstream_status', field: 'why5xx.upstream.status' },
          { as: 'error', field: 'error.type' },
          { as: 'rule', field: 'why5xx.rule.id' }
        ],
        measures: [FAILURES, { as: 'example', max: 'event.id' }]
      }),
      grid: { x: 0, y: 37, w: 24, h: 12 }
    },
    {
      id: 'gaps',
      title: 'Gaps',
      description: 'What nobody could read, by stream and reason.',
      shape: { type: 'table' },
      query: ranking('controller', [{ field: 'event.dataset', is: ['why5xx.gap'] }], {
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
      }),
      grid: { x: 24, y: 37, w: 24, h: 12 }
    }
  ]
}
