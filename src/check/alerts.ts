/** Whether whoever is to be told can be: each receiver gets a test alert that says so, and at once its end. */

import { randomBytes } from 'node:crypto'
import { openReceivers } from '../alert/notify/open.ts'
import type { Delivery, Receiver } from '../alert/notify/receiver.ts'
import { testNotice } from '../alert/notify/sampleNotices.ts'
import type { Config } from '../optionTable.ts'
import { type Finding, hint, ok, problem, wrongSetting } from './finding.ts'

export async function checkAlerts(config: Pick<Config, 'alerts' | 'clusterName'>, nowMs: number): Promise<Finding[]> {
  let receivers: Receiver[]
  try {
    receivers = openReceivers(config)
  } catch (error) {
    return [wrongSetting(error)]
  }
  if (receivers.length === 0)
    return [
      hint(
        'alerts',
        'nobody is told: no receiver is configured',
        'set alerts.alertmanager.urls to http://HOST:9093, or alerts.webhooks to a list such as [{ urlFile: /run/secrets/slack-url, template: slack }]'
      )
    ]
  return Promise.all(receivers.map(receiver => checkReceiver(receiver, config.clusterName, nowMs)))
}

/** Two people who test at the same time do not resolve each other's test. */
async function checkReceiver(receiver: Receiver, cluster: string, nowMs: number): Promise<Finding> {
  const about = receiver.name.startsWith('alertmanager ') ? 'alerts.alertmanager' : 'alerts.webhooks'
  const key = `test-${new Date(nowMs).toISOString().slice(0, 19).replace(/\D/g, '')}-${randomBytes(4).toString('hex')}`
  const { signal } = new AbortController()
  try {
    const send = (kind: 'test' | 'resolved'): Promise<Delivery> =>
      receiver.send([testNotice(kind, key, nowMs, cluster)], signal, [`${key}:${kind}:0`])
    const opened = await send('test')
    if (opened.kind !== 'taken')
      return problem(about, `${receiver.name} did not take the test alert: ${opened.why}`, mendFor(about, opened))
    const resolved = await send('resolved')
    if (resolved.kind !== 'taken')
      return problem(
        about,
        `${receiver.name} took the test alert (${opened.status}) and not its end: ${resolved.why}`,
        `${mendFor(about, resolved)}; resolve ${key} by hand`
      )
    return ok(about, `${receiver.name} took a test alert (${opened.status}) and its end (${resolved.status})`)
  } finally {
    await receiver.close()
  }
}

function mendFor(about: string, { kind, why }: Exclude<Delivery, { kind: 'taken' }>): string {
  const isAlertmanager = about === 'alerts.alertmanager'
  if (/^answers 40[137]\b/.test(why))
    return isAlertmanager
      ? 'set alerts.alertmanager.username and passwordFile, or bearerTokenFile, to what it accepts'
      : 'renew its address, its routing key or its headers'
  if (/^answers (?:3\d\d|404)\b/.test(why))
    return `correct ${isAlertmanager ? 'alerts.alertmanager.urls: where its own page is, without /api/v2' : 'the url of this webhook'}`
  if (kind === 'refused') return isAlertmanager ? 'see what it says' : 'change its template to what it takes'
  return 'start it, or let this machine reach it; alerts are tried again until then'
}
