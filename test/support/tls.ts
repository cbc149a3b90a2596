// Owns throw-away certificates.
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A server certificate for 127.0.0.1 and localhost, and the authority that signed it. */
export interface Certificates {
  /** The authority's certificate, PEM. */
  ca: string
  caFile: string
  certFile: string
  keyFile: string
}

const run = promisify(execFile)
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Makes an authority and a certificate in `folder`, valid for two days. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const file = (name: string) => join(folder, name)
  const caFile = file('ca.pem')
  const certFile = file('server.pem')
  const keyFile = file('server.key')
  const openssl = (...args: string[]) => run('openssl', args)

  await openssl(
    ...['req', '-x509', ...KEY, '-days', '2', '-subj', '/CN=test authority'],
    ...['-keyout', file('ca.key'), '-out', caFile],
  )
  await openssl('req', ...KEY, '-subj', '/CN=localhost', '-keyout', keyFile, '-out', file('server.csr'))
  await writeFile(file('names.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
  await openssl(
    ...['x509', '-req', '-in', file('server.csr'), '-CA', caFile, '-CAkey', file('ca.key'), '-CAcreateserial'],
    ...['-days', '2', '-extfile', file('names.ext'), '-out', certFile],
  )
  return { ca: await readFile(caFile, 'utf8'), caFile, certFile, keyFile }
}
