/** The numbers that decide whether failures are a spike, and when it is over. */

import type { Profile } from './alerting.ts'

/** How improbable a window must be. */
export const P_MAX: Record<Profile, number> = { normal: 1e-6, sensitive: 1e-5 }

/** How far a window must be above what was to be expected: in failures, and as a ratio. */
export const EXCESS_MIN = 5
export const FIRE_RATIO = 2

/** Over when this many minutes in a row have a window of five minutes with a small excess or a small ratio. */
export const QUIET_MINUTES = 5
export const QUIET_RATIO = 1.5

/** A level that holds for twelve hours is what is normal now. */
export const NEW_LEVEL_MINUTES = 720

/** Minutes until a minute is fed to the baseline: a spike that is about to be seen must not be taken for normal. */
export const FEED_DELAY = 15

/** From then on what is fed is capped, and alarms are raised. */
export const WARM_UP_MINUTES = 60
