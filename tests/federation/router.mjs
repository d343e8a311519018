// Apollo's router over the gateway at the address given and a subgraph of notes, which it asks about by ids.
// Prints where it answers, and ends with its standard input.
import { ApolloGateway, LocalGraphQLDataSource, RemoteGraphQLDataSource } from '@apollo/gateway'
import { composeServices as composeByApollo } from '@apollo/composition'
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { composeServices as composeByHive } from '@theguild/federation-composition'
import { parse } from 'graphql'

const url = process.argv[2]
const notes = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key"])
  type Transaction @key(fields: "id") { id: ID! note: String! }
  type Query { noted(ids: [ID!]!): [Transaction!]! }
`)
const note = ({ id }) => `about ${id}`
const notesSchema = buildSubgraphSchema({
  typeDefs: notes,
  resolvers: { Query: { noted: (_, { ids }) => ids.map((id) => ({ id })) }, Transaction: { note } },
})

const answer = await fetch(url, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ query: '{ _service { sdl } }' }),
})
const { sdl } = (await answer.json()).data._service
const subgraphs = [
  { name: 'transactions', url, typeDefs: parse(sdl) },
  { name: 'notes', url: 'http://notes.invalid', typeDefs: notes },
]
const [composed] = [composeByApollo, composeByHive].map((compose) => {
  const { errors, supergraphSdl } = compose(subgraphs)
  if (errors?.length) throw new Error(errors.join('\n'))
  return supergraphSdl
})
const gateway = new ApolloGateway({
  supergraphSdl: composed,
  buildService: ({ name, url }) =>
    name === 'notes' ? new LocalGraphQLDataSource(notesSchema) : new RemoteGraphQLDataSource({ url }),
})
const server = new ApolloServer({ gateway, includeStacktraceInErrorResponses: false })
const { url: own } = await startStandaloneServer(server, { listen: { host: '127.0.0.1', port: 0 } })
console.log(own)
process.stdin.resume().on('end', () => process.exit())
