// Owns the nginx of examples/deploy, started for a test: the very file, with its paths and addresses replaced.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Nginx, startNginx } from './nginx.ts'
import type { TestScope } from './scope.ts'

/** A started nginx before a unix socket. */
export interface DeployedNginx {
  readonly nginx: Nginx
  /** What it writes into its access log. */
  accessLog(): string
}

/** What is before it and behind it. */
export interface Deployment {
  /** The cluster's socket. */
  readonly socket: string
  /** Files of the project's `public`, by their path there. */
  readonly pages?: Record<string, string>
  /** Whether the tests' own address counts as that of the load balancer. */
  readonly isBehindBalancer?: boolean
}

const FILE = new URL('../../../examples/deploy/nginx.conf', import.meta.url)

/** Starts nginx with the file of examples/deploy. */
export async function startDeployedNginx(deployment: Deployment, scope: TestScope): Promise<DeployedNginx> {
  const { socket, pages = {}, isBehindBalancer = false } = deployment
  const text = readFileSync(FILE, 'utf8')
  const nginx = await startNginx(
    {
      file: ({ port, dir }) => {
        for (const [name, page] of Object.entries(pages)) {
          mkdirSync(dirname(join(dir, 'public', name)), { recursive: true })
          writeFileSync(join(dir, 'public', name), page)
        }
        const changes: [from: string, to: string][] = [
          ['user www-data;', ''],
          ['error_log /var/log/nginx/error.log warn;', ''],
          ['worker_processes auto;', 'worker_processes 2;'],
          ['pid /run/nginx.pid;', `pid ${dir}/nginx.pid;`],
          ['/var/log/nginx/access.log', `${dir}/access.log`],
          ['server unix:/run/app/web.sock;', `server unix:${socket};`],
          ['listen 80;', `listen 127.0.0.1:${port};`],
          ['root /srv/app/current/public;', `root ${dir}/public;`],
          ['worker_rlimit_nofile 65536;', ''],
          ['http {', `http {\n  client_body_temp_path ${dir}/body;\n  proxy_temp_path ${dir}/proxy;`],
          ...(isBehindBalancer ? BALANCER : []),
        ]
        return changes.reduce((conf, [from, to]) => replaced(conf, from, to), text)
      },
    },
    scope,
  )
  return { nginx, accessLog: () => readFileSync(join(nginx.dir, 'access.log'), 'utf8') }
}

const BALANCER: [from: string, to: string][] = [
  ['set_real_ip_from 10.0.0.0/8;', 'set_real_ip_from 127.0.0.0/8;'],
  ['10.0.0.0/8 1;', '127.0.0.0/8 1;'],
]

/** A line that is not there any more would leave a path of this machine in use. */
function replaced(conf: string, from: string, to: string): string {
  const [before, after, ...more] = conf.split(from)
  if (after === undefined || more.length > 0) throw new Error(`nginx.conf has not exactly one "${from}"`)
  return before + to + after
}
