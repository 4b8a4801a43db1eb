/** Names and what is behind them: `external_name_unresolvable`, `cluster_dns_failure`, `external_backend_down`. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { addClusterDns, addForeignBackend, becomesExternal, controllerPod } from '../support/edgeObjects.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const NONE = { ...APP, replicas: 0 }
const OOM = { reason: 'OOMKilled', exitCode: 137 }
const LOOP = { startedAt: -40, at: -30, restarts: 9, unready: -400 }

/** What the controller's Lua writes when the server says that there is no such name. */
function nameError(name: string): Record<string, string> {
  return { error: `failed to query the DNS server for ${name}:\nserver returned error code: 3: name error` }
}

function timedOut(name: string): Record<string, string> {
  return { error: `${name} could not be resolved (110: Operation timed out)` }
}

function leadsTo(shop: Shop, name: string): void {
  becomesExternal(shop.service, name)
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'external-typo',
    'the host name has no address, and the Ingress asks for a port that the Service does not list',
    shop => {
      leadsTo(shop, 'api.partnr.example')
      addClusterDns(shop)
      shop.ingress.spec.rules[0]!.http.paths[0]!.backend.service.port = { number: 8443 }
      shop.fails('no_endpoints', null, { port: 8443, detail: nameError('api.partnr.example') })
      return {
        root_cause: 'external_name_unresolvable',
        must_cite: [`${ref(shop.service)} spec.externalName=api.partnr.example`],
        must_not: ['ingress_port_missing', 'cluster_dns_failure', 'selectorless_endpoints', 'selector_mismatch']
      }
    },
    NONE
  ),

  shopCase(
    'external-in-cluster',
    'the name is that of a Service of another namespace, which does not exist',
    shop => {
      leadsTo(shop, 'ledger.finance.svc.cluster.local')
      addClusterDns(shop)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'external_name_unresolvable',
        must_cite: [
          `${ref(shop.service)} spec.externalName=ledger.finance.svc.cluster.local`,
          'Service finance/ledger absent'
        ],
        must_not: ['cluster_dns_failure', 'selectorless_endpoints', 'ingress_service_missing']
      }
    },
    { ...NONE, namespace: 'store-eu' }
  ),

  shopCase(
    'external-in-cluster-no-dns',
    'the Service behind the name exists; no DNS server of the cluster is ready',
    shop => {
      const { service } = addForeignBackend(shop, 'ledger', 'finance')
      leadsTo(shop, `ledger.finance.svc.cluster.local`)
      const dns = addClusterDns(shop)
      for (const pod of dns.pods) shop.backsOff(pod, { ...LOOP, reason: 'Error', exitCode: 1 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'cluster_dns_failure',
        chain: ['crash_loop'],
        must_cite: [`${ref(dns.pods[0])} conditions[Ready].status=False`],
        must_not: ['external_name_unresolvable', 'ingress_service_missing', `cite:${ref(service)} absent`]
      }
    },
    { ...NONE, namespace: 'shop' }
  ),

  shopCase(
    'external-flag',
    'the controller is told not to follow names',
    shop => {
      leadsTo(shop, 'legacy.example.net')
      addClusterDns(shop)
      const controller = controllerPod(shop)
      controller.spec.containers[0]!.args!.push('--disable-svc-external-name=true')
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'external_name_unresolvable',
        must_cite: [
          `${ref(shop.service)} spec.externalName=legacy.example.net`,
          `${ref(controller)} args~--disable-svc-external-name`
        ],
        must_not: ['cluster_dns_failure', 'selectorless_endpoints']
      }
    },
    NONE
  ),

  shopCase(
    'dns-memory',
    'both DNS servers ran out of memory',
    shop => {
      leadsTo(shop, 'api.partner.example')
      const dns = addClusterDns(shop)
      for (const pod of dns.pods) shop.backsOff(pod, { ...LOOP, ...OOM })
      shop.fails('dns_failure', null, { detail: timedOut('api.partner.example') })
      return {
        root_cause: 'cluster_dns_failure',
        chain: ['oom_killed'],
        must_cite: [`${ref(dns.pods[0])} conditions[Ready].status=False`],
        must_not: ['external_name_unresolvable', 'external_backend_down', 'undetermined']
      }
    },
    NONE
  ),

  shopCase(
    'dns-half',
    'one of two DNS servers is not ready, and a question went unanswered',
    shop => {
      leadsTo(shop, 'api.partner.example')
      const dns = addClusterDns(shop)
      shop.unready(dns.pods[1], -200)
      shop.fails('dns_failure', null, { detail: timedOut('api.partner.example') })
      return {
        root_cause: 'cluster_dns_failure',
        must_cite: [`${ref(dns.pods[1])} conditions[Ready].status=False`],
        must_not: ['external_name_unresolvable', `cite:${ref(dns.pods[0])} lastState`]
      }
    },
    NONE
  ),

  shopCase(
    'dns-half-but-answered',
    'one of two DNS servers is not ready; the other one said that the name is not known',
    shop => {
      leadsTo(shop, 'api.partnr.example')
      const dns = addClusterDns(shop)
      shop.unready(dns.pods[1], -200)
      shop.fails('dns_failure', null, { detail: nameError('api.partnr.example') })
      return {
        root_cause: 'external_name_unresolvable',
        must_cite: [`${ref(shop.service)} spec.externalName=api.partnr.example`],
        must_not: ['cluster_dns_failure', 'external_backend_down']
      }
    },
    NONE
  ),

  shopCase(
    'dns-down-later',
    'the DNS servers fell over a minute after the name was not found',
    shop => {
      leadsTo(shop, 'api.partnr.example')
      const dns = addClusterDns(shop)
      for (const pod of dns.pods) shop.unready(pod, 60)
      shop.fails('dns_failure', null, { detail: nameError('api.partnr.example') })
      return {
        root_cause: 'external_name_unresolvable',
        must_cite: [`${ref(shop.service)} spec.externalName=api.partnr.example`],
        must_not: ['cluster_dns_failure']
      }
    },
    NONE
  ),

  shopCase(
    'dns-down-app-fails',
    'the server answers 500, for it finds no name any more',
    shop => {
      const [pod] = shop.pods
      const dns = addClusterDns(shop)
      for (const server of dns.pods) shop.backsOff(server, { ...LOOP, reason: 'Error', exitCode: 1 })
      shop.fails('upstream_error', pod, { detail: { upstream_status: '500', upstream_response_time: '5.003' } })
      return {
        root_cause: 'cluster_dns_failure',
        must_cite: [`${ref(dns.pods[0])} conditions[Ready].status=False`],
        must_not: ['app_error', 'dependency_down', 'node_pressure']
      }
    },
    APP
  ),

  shopCase(
    'outside-unreachable',
    'no way to the host outside',
    shop => {
      leadsTo(shop, 'legacy.example.net')
      addClusterDns(shop)
      shop.fails('host_unreachable', null, { upstream_addr: '198.51.100.7:80' })
      return {
        root_cause: 'external_backend_down',
        must_cite: [ref(shop.service)],
        must_not: ['node_network_failure', 'network_policy_block', 'stale_endpoints', 'external_name_unresolvable']
      }
    },
    NONE
  ),

  shopCase(
    'external-in-cluster-dot',
    'the same with the dot at the end that an absolute name has',
    shop => {
      leadsTo(shop, 'ledger.finance.svc.cluster.local.')
      addClusterDns(shop)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'external_name_unresolvable',
        must_cite: [`${ref(shop.service)} spec.externalName`, 'Service finance/ledger absent'],
        must_not: ['cluster_dns_failure', 'selectorless_endpoints', 'ingress_service_missing']
      }
    },
    { ...NONE, namespace: 'store-eu' }
  ),

  shopCase(
    'dns-zero',
    'the DNS servers are scaled to nothing',
    shop => {
      leadsTo(shop, 'api.partner.example')
      const dns = addClusterDns(shop)
      for (const pod of dns.pods) shop.remove(pod)
      dns.workload.spec.replicas = 0
      shop.fails('dns_failure', null, { detail: timedOut('api.partner.example') })
      return {
        root_cause: 'cluster_dns_failure',
        must_not: ['external_name_unresolvable', 'external_backend_down', 'undetermined']
      }
    },
    NONE
  ),

  shopCase(
    'outside-refused-dns-down',
    'the address was known and refused: no name was asked for, whatever the DNS servers do',
    shop => {
      leadsTo(shop, 'legacy.example.net')
      const dns = addClusterDns(shop)
      for (const pod of dns.pods) shop.unready(pod, -100)
      shop.fails('connection_refused', null, { upstream_addr: '198.51.100.7:80' })
      return {
        root_cause: 'external_backend_down',
        must_cite: [ref(shop.service)],
        must_not: ['cluster_dns_failure', 'external_name_unresolvable', 'stale_endpoints']
      }
    },
    NONE
  )
]
