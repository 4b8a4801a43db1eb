/** Who will be told of incidents, by the configuration alone: nobody is asked. */

import { openReceivers } from '../alert/notify/open.ts'
import type { Config } from '../optionTable.ts'
import { clip } from '../text.ts'
import { type Finding, ok, wrongSetting } from './finding.ts'

const NAMES_CHARS_MAX = 300

export async function checkReceivers(config: Pick<Config, 'alerts'>): Promise<Finding[]> {
  try {
    const receivers = openReceivers(config)
    await Promise.all(receivers.map(receiver => receiver.close()))
    if (receivers.length === 0)
      return [ok('alerts', 'no receiver is configured: nobody is told of incidents, why5xx incidents shows them')]
    const names = clip(receivers.map(({ name }) => name).join(', '), NAMES_CHARS_MAX)
    return [ok('alerts', `told of incidents: ${names}; why5xx check --alerts sends each a test`)]
  } catch (error) {
    return [wrongSetting(error)]
  }
}
