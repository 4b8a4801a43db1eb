#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { runCli } from './cli/program.ts'

// What is held is small and short-lived; V8's default lets garbage grow to many times of it before it looks.
setFlagsFromString('--heap-growing-percent=50')

// Who closes the pipe has seen enough (`why5xx explain … | head`): silent, exit code 0.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await runCli(process.argv)
