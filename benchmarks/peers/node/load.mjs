// Generates load with autocannon where wrk is missing; it prints what benchmarks/requests.lua prints.
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

// Each connection cycles through the list by itself; starting far apart, no two send the same request at the same time.
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
// autocannon's `errors` include the timeouts.
const { requests: answers, duration: seconds, errors: broken, non2xx: errors } = result
console.log(JSON.stringify({ answers: answers.total, seconds, errors, broken }))
