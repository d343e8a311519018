// Prints what npm's graphql-ws and graphql-sse are given by the gateway at the address given, as JSON: the result of a
// query, the errors of a document that is not valid, and the first ids of a subscription.
import { createClient as createSseClient } from 'graphql-sse'
import { createClient as createSocketClient } from 'graphql-ws'
import WebSocket from 'ws'

const url = `${process.argv[2]}/graphql`
const IDS = 3

function listen(client, query) {
  return new Promise((resolve, reject) => {
    const results = []
    client.subscribe(
      { query },
      { next: (result) => results.push(result), error: reject, complete: () => resolve(results) },
    )
  })
}

async function take(client, query) {
  const ids = []
  for await (const result of client.iterate({ query })) {
    ids.push(result.data.transactionAdded.id)
    if (ids.length === IDS) break
  }
  return ids
}

async function ask(client) {
  const [query, failure, ids] = await Promise.all([
    listen(client, '{ __typename }'),
    // One tells the errors as a failure, the other as a result.
    listen(client, '{ unknown }').catch((errors) => [{ errors }]),
    take(client, 'subscription { transactionAdded(filter: {cardType: "Visa"}) { id } }'),
  ])
  await client.dispose()
  return { query, failure, ids }
}

const socket = createSocketClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket })
const sse = createSseClient({ url })
console.log(JSON.stringify({ socket: await ask(socket), sse: await ask(sse) }))
