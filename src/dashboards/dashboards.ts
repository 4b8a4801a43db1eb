import type { Dashboard } from './dashboard.ts'
import { health } from './health.ts'
import { incident } from './incident.ts'
import { overview } from './overview.ts'
import { service } from './service.ts'

/** In the order in which one goes through them: all services, one, one incident, ourselves. */
export const DASHBOARDS: readonly Dashboard[] = [overview, service, incident, health]
