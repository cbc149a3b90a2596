// A cluster in the background, seen from the command that starts it: waits until it serves, or tells why it does not.
import { type ChildProcess, spawn } from 'node:child_process'
import process from 'node:process'
import { LogFile } from '../log-file.ts'
import { type News, openNews } from './daemon-news.ts'

/** What is started in the background. */
export interface DaemonOrders {
  /** The whole command line, without the program. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Where it writes. */
  readonly logFile: string
  print(line: string): void
  warn(line: string): void
}

/** Starts this program again, in a session of its own. Answers the exit code. Throws `AH_CLUSTER_LOG_FILE`. */
export async function startDaemon({ args, env, logFile, print, warn }: DaemonOrders): Promise<number> {
  const log = new LogFile(logFile)
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], {
    detached: true,
    env: { ...env, AH_DETACHED: '1' },
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  })
  // Whoever gives up waiting does not want it.
  const giveUp = () => void child.kill('SIGTERM')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, giveUp)
  const news = await newsOf(child)
  if (news.type === 'serves') {
    print(`${news.workers === 1 ? '1 worker serves' : `${news.workers} workers serve`} in the background`)
    print(`primary ${child.pid}, log ${log.path}`)
    if (child.connected) child.disconnect()
    child.unref()
    return 0
  }
  if (news.text !== '') process.stderr.write(`${news.text}\n`)
  else warn(`it ended before it served; its log is ${log.path}`)
  return news.code
}

/** What it says of itself; its end is waited for unless it serves, since it may still have to let go of a port. */
function newsOf(child: ChildProcess): Promise<News> {
  return new Promise((resolve, reject) => {
    let failure: News | undefined
    child.on('message', (raw) => {
      const news = openNews(raw)
      if (news?.type === 'serves') resolve(news)
      else failure ??= news
    })
    // What it had said last is read before its channel counts as closed, which may be after its exit.
    const closed = new Promise((done) => child.once('disconnect', done))
    child.once('exit', async (code) => {
      await closed
      resolve(failure ?? { type: 'failed', text: '', code: code || 1 })
    })
    child.once('error', reject)
  })
}
