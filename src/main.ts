#!/usr/bin/env node
import { runProcess } from './cli/processRun.ts'
import { runCli } from './cli/program.ts'

await runProcess(runCli)
