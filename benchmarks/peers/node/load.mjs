// Load by autocannon where wrk is not here; it prints what benchmarks/requests.lua prints.
// https://github.com/mcollina/autocannon#autocannonopts-cb
import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'

const [url, file, connections, duration, timeout] = process.argv.slice(2)
const requests = readFileSync(file, 'utf8')
  .trimEnd()
  .split('\n')
  .map(line => line.split('\t'))
  .map(([path, body]) =>
    body ? { method: 'POST', path, body, headers: { 'content-type': 'application/json' } } : { method: 'GET', path },
  )

// Each connection walks through the list by itself: from places far apart, no two ask the same at a time.
let started = 0
const setupClient = client => {
  const first = Math.floor((started++ * requests.length) / Number(connections))
  client.setRequests([...requests.slice(first), ...requests.slice(0, first)])
}

const result = await autocannon({
  url,
  requests,
  setupClient,
  connections: Number(connections),
  duration: Number(duration),
  timeout: Number(timeout),
})
// Its `errors` hold the timeouts.
const { requests: answers, duration: seconds, errors: broken, non2xx: errors } = result
console.log(JSON.stringify({ answers: answers.total, seconds, errors, broken }))
