// Prints how a server at the address given fares in each check of graphql-http's audit, as JSON.
import { serverAudits } from 'graphql-http'

const results = []
for (const audit of serverAudits({ url: process.argv[2] })) {
  const { name, status, reason = '' } = await audit.fn()
  results.push({ name, status, reason })
}
console.log(JSON.stringify(results))
