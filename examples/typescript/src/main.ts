// Prints what was paid in a country in the last 90 days: `node dist/main.js http://localhost:5000/graphql US`.
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

const Amounts = graphql(`
  query amounts($filter: TransactionFilter, $after: String) {
    transactions(filter: $filter, first: 100, after: $after) {
      nodes {
        amount
        currency
      }
      pageInfo {
        hasNextPage
        endCursor
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

// Amounts are decimal text of at most two decimals here: whole cents add up exactly, as numbers would not.
function readCents(amount: string): bigint {
  const [whole = '0', part = ''] = amount.split('.')
  return BigInt(whole + part.padEnd(2, '0'))
}

function writeCents(cents: bigint): string {
  const digits = cents.toString().padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`
}

const filter = { days: 90, country }
const { transactions } = await ask(Newest, { filter, first: 3 })
console.log(`${transactions.totalCount} transactions`)
for (const { date, amount, currency, cardNumber, vendor } of transactions.nodes) {
  console.log(`${date.slice(0, 10)} ${amount} ${currency} ${cardNumber} ${vendor}`)
}

const sums = new Map<string, bigint>()
let after: string | null | undefined
do {
  const { nodes, pageInfo } = (await ask(Amounts, { filter, after })).transactions
  for (const { amount, currency } of nodes) {
    sums.set(currency, (sums.get(currency) ?? 0n) + readCents(amount))
  }
  after = pageInfo.hasNextPage ? pageInfo.endCursor : null
} while (after)
for (const [currency, cents] of [...sums].sort()) {
  console.log(`${writeCents(cents)} ${currency} in all`)
}
