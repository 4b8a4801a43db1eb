import type { Dashboard } from './dashboard.ts'

const overview: Dashboard = {
  name: 'overview',
  title: 'why5xx overview',
  description: 'Failures of all services by cause.',
  params: [{ name: 'service', title: 'Service', field: 'why5xx.upstream.name', from: 'rollup' }],
  panels: [
    {
      id: 'causes',
      title: 'Failures by cause',
      description: 'What clients saw, most first.',
      shape: { type: 'table' },
      query: {
        from: 'failure',
        where: [{ field: 'why5xx.upstream.name', isParam: 'service' }],
        timeField: '@timestamp',
        by: [{ as: 'cause', field: 'why5xx.cause' }],
        measures: [{ as: 'failures', count: true }],
        sort: [{ by: 'failures', order: 'descending' }],
        limit: 50
      },
      grid: { x: 0, y: 0, w: 48, h: 10 }
    }
  ]
}

export const DASHBOARDS: readonly Dashboard[] = [overview]
