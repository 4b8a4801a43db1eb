/** What is said of a service that always had requests and has none. It is no cause of a failure: nothing fails. */

import type { CauseInfo } from '../../parsers/causes.ts'

export const NO_REQUESTS: Omit<CauseInfo, 'category' | 'blame' | 'slo'> = {
  title: 'a service that always had requests has none',
  meaning:
    'In the last six hours no minute was without a request, and then ten minutes in a row were. Either nothing reaches the controller any more for this service (DNS, load balancer, a client that was switched off, a host or path that was renamed), or its lines do not reach us (a controller that is not read, a shipper that stands). Where many services fall silent at once, it is the lines.',
  check: [
    'why5xx_processing_lag_seconds and why5xx_source_gap_bytes_total: are lines read, and is none missing?',
    'kubectl -n ingress-nginx logs -l app.kubernetes.io/component=controller --tail=20 --prefix: does every controller still log requests, of this service too?',
    'kubectl -n <namespace> get ingress -o wide: do host and path still point at <service>, and is the address the one in DNS?',
    'why5xx timeline --service <service> --since 2h: what was the last that was seen, and were there reloads before?'
  ],
  fix: [
    'Lines are missing: start the shipper, or the controller that is not read, and replay what it missed (why5xx replay).',
    'Requests are missing: point DNS or the load balancer at the controllers again, take the change of the Ingress back.',
    'It was meant to end: nothing. The incident is over with the first requests, and the service is forgotten after a week.'
  ]
}
