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
