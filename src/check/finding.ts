import { Why5xxError } from '../errors.ts'

/** One thing that was looked at before a run, and what came of it. */
export interface Finding {
  /** The option it is about: `source.files.paths`. */
  about: string
  /** A hint needs no mending for the run to work. */
  state: 'ok' | 'hint' | 'problem'
  /** One sentence. */
  text: string
  /** What to do; null where there is nothing to do. */
  mend: string | null
}

export function ok(about: string, text: string): Finding {
  return { about, state: 'ok', text, mend: null }
}

export function hint(about: string, text: string, mend: string): Finding {
  return { about, state: 'hint', text, mend }
}

export function problem(about: string, text: string, mend: string): Finding {
  return { about, state: 'problem', text, mend }
}

/** A wrong setting as a finding: sentences of `WHY5XX_CONFIG` begin with the option they are about. Throws everything else. */
export function wrongSetting(error: unknown): Finding {
  if (!(error instanceof Why5xxError) || error.code !== 'WHY5XX_CONFIG') throw error
  const [, about = 'configuration', text = error.message] =
    /^([\w.]+)(?: and [\w.]+)?: (.*)$/s.exec(error.message) ?? []
  return problem(about, text, `mend ${about}`)
}

/** What goes there leaves no machine. `[::1]` is how a URL writes it. */
export function isThisMachine(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[?::1\]?)$/.test(host)
}
