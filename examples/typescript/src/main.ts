// Prints a country's payments in the last 90 days, and their sums: `node dist/main.js http://localhost:5000/graphql US`.
import { graphql } from './gql/index.js'
import type { TypedDocumentString } from './gql/graphql.js'

const Newest = graphql(`
  query newest($filter: TransactionFilter, $first: Int) {
    transactions(filter: $filter, first: $first) {
      totalCount
      nodes {
        date
        amount
        currency
        vendor
        cardNumber
      }
    }
  }
`)

const Sums = graphql(`
  query sums($filter: TransactionFilter) {
    transactionSummary(filter: $filter, groupBy: [CURRENCY]) {
      groups {
        currency
        amounts {
          sum
        }
      }
    }
  }
`)

const [url = 'http://localhost:5000/graphql', country = 'US'] = process.argv.slice(2)

async function ask<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query: document, variables }),
  })
  const { data, errors } = (await response.json()) as { data: Result; errors?: { message: string }[] }
  if (errors) throw new Error(errors.map(({ message }) => message).join('\n'))
  return data
}

const filter = { days: 90, country }
const { transactions } = await ask(Newest, { filter, first: 3 })
console.log(`${transactions.totalCount} transactions`)
for (const { date, amount, currency, cardNumber, vendor } of transactions.nodes) {
  console.log(`${date.slice(0, 10)} ${amount} ${currency} ${cardNumber} ${vendor}`)
}

// Sums are exact decimals in strings; different currencies are never added.
const { transactionSummary } = await ask(Sums, { filter })
for (const { currency, amounts } of transactionSummary.groups) {
  console.log(`${amounts.map(({ sum }) => sum)} ${currency} in all`)
}
