/** The closed list of what can go wrong outside of parsing. Callers branch on the code, never on the text. */
export type Why5xxErrorCode =
  | 'WHY5XX_USAGE'
  | 'WHY5XX_CONFIG'
  | 'WHY5XX_INPUT_UNREADABLE'
  | 'WHY5XX_INPUT_TRUNCATED'
  | 'WHY5XX_LISTEN'
  /** A store that cannot be opened, read or written. */
  | 'WHY5XX_STORE'
  /** A broker that cannot be reached, refuses us, or has no such topic. */
  | 'WHY5XX_KAFKA'
  /** A Kibana that cannot be reached, refuses us, or holds what is not ours. */
  | 'WHY5XX_KIBANA'
  /** An API server of Kubernetes that cannot be reached or refuses us. */
  | 'WHY5XX_KUBERNETES'
  /** Another process writes to the store. */
  | 'WHY5XX_STORE_IN_USE'

/** The one class the shell throws. `message` is a sentence for people that says what to do. */
export class Why5xxError extends Error {
  readonly code: Why5xxErrorCode

  constructor(code: Why5xxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Why5xxError'
    this.code = code
  }
}

/** Exit code 2 for wrong usage and configuration, 1 for everything that failed while working (design: exit codes). */
export function exitCodeOf(error: unknown): number {
  return error instanceof Why5xxError && (error.code === 'WHY5XX_USAGE' || error.code === 'WHY5XX_CONFIG') ? 2 : 1
}

/** `ENOENT` and friends as words. */
export function systemErrorText(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  const words: Record<string, string> = {
    ENOENT: 'no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a directory',
    ENOTDIR: 'a part of the path is no folder',
    EROFS: 'the file system is read-only',
    ENOSPC: 'no space left on the disk',
    EMFILE: 'too many open files'
  }
  const message = error instanceof Error ? error.message : String(error)
  return code === undefined ? message : `${words[code] ?? message} (${code})`
}
