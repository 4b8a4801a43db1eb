import { Command, CommanderError } from 'commander'
import { exitCodeOf, Why5xxError } from '../errors.ts'
import { complain } from './output.ts'

/** Ends no process, and speaks as the rest of us does. */
export function newProgram(name: string, hint: string): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'why5xx: ')) })
    .showHelpAfterError(`(${name} --help ${hint})`)
}

/** Runs the command that was asked for, and says what went wrong in one sentence; null: it came to its own end. */
export async function runCommands(program: Command, argv: string[]): Promise<number | null> {
  try {
    await program.parseAsync(argv)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof Why5xxError)) throw error
    complain(error.message)
    return exitCodeOf(error)
  }
  return null
}
