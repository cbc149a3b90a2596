// The programs that the suites need beside Node, and how they come onto a Debian machine.
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './command.js'

/** Program → the Debian package that brings it. */
const needed = {
  'redis-server': 'redis-server',
  nginx: 'nginx',
  chromium: 'chromium',
  openssl: 'openssl',
  socat: 'socat',
  wrk: 'wrk',
}
const POLICY = '/usr/sbin/policy-rc.d'

/** Installs what is missing, or throws what a person has to do. */
export async function installPrograms(print) {
  const missing = Object.entries(needed).filter(([program]) => !isInstalled(program))
  if (missing.length === 0) return
  const programs = missing.map(([program]) => program).join(', ')
  const packages = missing.map(([, name]) => name)
  if (!isDebian()) {
    throw new Error(`these programs are missing, please install them and put them on the PATH: ${programs}`)
  }
  if (process.getuid() !== 0) {
    throw new Error(`these programs are missing, please run: sudo apt-get install ${packages.join(' ')}`)
  }
  print(`installing ${packages.join(', ')}`)
  await withoutServices(async () => {
    await apt('update')
    await apt('install', '-y', '--no-install-recommends', ...packages)
  })
}

function isInstalled(program) {
  // Debian keeps servers in sbin, which is not on everybody's PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.some((folder) => isExecutable(join(folder, program)))
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(error.code)) return false
    throw error
  }
}

function isDebian() {
  if (!existsSync('/etc/os-release')) return false
  return /^ID(_LIKE)?=.*\bdebian\b/m.test(readFileSync('/etc/os-release', 'utf8'))
}

/** Debian starts a server when its package is installed; nobody asked for a Redis and an nginx on their usual ports. */
async function withoutServices(install) {
  const isOurs = !existsSync(POLICY)
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await install()
  } finally {
    if (isOurs) rmSync(POLICY)
  }
}

async function apt(...args) {
  const result = await run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (result.code !== 0) throw new Error(`apt-get ${args.join(' ')} ended with ${result.code}\n${result.output}`)
}
