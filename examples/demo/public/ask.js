// How the page asks the app, and where it says what went wrong.

/** The answer; rejects with the app's message if it refuses. */
export async function ask(method, path, body) {
  const request = () =>
    fetch(path, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
  // A worker that is killed while it answers is no trouble for a question: the other answers it.
  const response = await request().catch((error) => {
    if (method !== 'GET') throw error
    return request()
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.message)
  return answer
}

export const element = (id) => document.getElementById(id)

/** Says at the foot of the page why `work` failed. */
export async function attempt(work) {
  const trouble = element('trouble')
  try {
    await work()
    trouble.hidden = true
  } catch (error) {
    trouble.textContent = error.message
    trouble.hidden = false
  }
}
