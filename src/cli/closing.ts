/** The end of a process: one part that cannot be closed must not keep the others open. */

import type { Logger } from '../logger.ts'

/** Closes them one after the other; null: it was never opened. What one throws is said with the sentence before it. */
export async function closeEach(
  parts: readonly (readonly [sentence: string, close: (() => Promise<void>) | null])[],
  logger: Pick<Logger, 'warn'>
): Promise<void> {
  for (const [sentence, close] of parts) {
    try {
      await close?.()
    } catch (error) {
      logger.warn(sentence, { error })
    }
  }
}
