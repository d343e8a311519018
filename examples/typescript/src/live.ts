// Prints the next transactions of a country: `node dist/live.js http://localhost:5000/graphql US 10` ends after ten.
import { createClient } from 'graphql-sse'
import { graphql } from './gql/index.js'
import type { AddedSubscription } from './gql/graphql.js'

const Added = graphql(`
  subscription added($filter: TransactionFilter) {
    transactionAdded(filter: $filter) {
      id
      amount
      currency
      vendor
    }
  }
`)

const [url = 'http://localhost:5000/graphql', country = 'US', count = '10'] = process.argv.slice(2)

// The client reconnects automatically when the connection is lost.
const client = createClient({ url })
const events = client.iterate<AddedSubscription>({ query: Added.toString(), variables: { filter: { country } } })
let left = Number(count)
for await (const { data, errors } of events) {
  if (errors) throw new Error(errors.map(({ message }) => message).join('\n'))
  if (!data) continue
  const { id, amount, currency, vendor } = data.transactionAdded
  console.log(`${id} ${amount} ${currency} ${vendor}`)
  left -= 1
  if (left === 0) break
}
