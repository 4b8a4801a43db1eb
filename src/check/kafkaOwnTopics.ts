/** Whether the topics beside the lines can be seen, and the groups with which they are read. What may be read or written is not asked. */

import type { Admin } from 'kafkajs'
import type { KafkaConfig } from '../clusterOptions.ts'
import { deepest, reasonOf } from '../source/kafka/kafkajsClient.ts'
import { clip } from '../text.ts'
import { type Finding, hint, ok, problem } from './finding.ts'
import type { KafkaUse } from './kafka.ts'

const GROUP = 'source.kafka.groupId'

/** Groups of one process have a random name behind their prefix. */
const EXAMPLE = 'check'

export async function checkOwnTopics(admin: Admin, { groupId }: KafkaConfig, use: KafkaUse): Promise<Finding[]> {
  const { roles, clusterTopic, incidentTopic } = use
  const there = new Set(await admin.listTopics())
  const judges = roles.has('worker') || roles.has('alert')
  const findings: Finding[] = []
  const prefixes: string[] = []
  if (there.has(clusterTopic)) {
    findings.push(ok('kubernetes.topic', `${clusterTopic}: it is there`))
    if (judges) prefixes.push(`${groupId}-cluster-`)
  } else
    findings.push(hint('kubernetes.topic', `${unseen(clusterTopic)}: ${withoutState(roles)}`, allowed(clusterTopic)))
  if (roles.has('alert')) {
    prefixes.push(`${groupId}-alert-`)
    if (there.has(incidentTopic)) {
      findings.push(ok('alerts.topic', `${incidentTopic}: it is there`))
      prefixes.push(`${groupId}-incidents-`)
    } else
      findings.push(
        hint('alerts.topic', `${unseen(incidentTopic)}: the role alert makes it, where it may`, allowed(incidentTopic))
      )
  }
  for (const prefix of prefixes) findings.push(...(await checkPrefix(admin, prefix)))
  return findings
}

/** The brokers do not allow it to our user. */
export function isRefused(error: unknown): boolean {
  const { type } = (error instanceof Error ? deepest(error) : {}) as { type?: unknown }
  return type === 'TOPIC_AUTHORIZATION_FAILED' || type === 'GROUP_AUTHORIZATION_FAILED'
}

/** One that nobody is in may be described by whoever may read it. */
async function checkPrefix(admin: Admin, prefix: string): Promise<Finding[]> {
  try {
    await admin.describeGroups([`${prefix}${EXAMPLE}`])
    return []
  } catch (error) {
    const why = clip(reasonOf(error), 200)
    return [problem(GROUP, `${prefix}…: ${why}`, `allow our user Read and Delete on groups that begin with ${prefix}`)]
  }
}

/** To a user who may not describe it, a topic is not there. */
export function unseen(topic: string): string {
  return `${topic}: there is no such topic, or our user may not see it`
}

function withoutState(roles: KafkaUse['roles']): string {
  return roles.has('watch') ? 'the role watch makes it, where it may' : 'causes come without root causes'
}

function allowed(topic: string): string {
  return `make it with deploy/kafka/topics.sh; if it is there, allow our user to use ${topic}: deploy/kafka/acls.sh`
}
