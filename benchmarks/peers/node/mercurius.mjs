// https://mercurius.dev/#/docs/api/options with its just-in-time compiler, and https://fastify.dev/docs/latest/Reference/Routes/
// for the paths, whose responses have a schema: Fastify serialises JSON faster with one.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { countByCard, findTransactions, resolvers, typeDefs } from './transactions.mjs'

const string = { type: 'string' }
const transaction = {
  type: 'object',
  properties: {
    _id: string,
    date: { type: 'integer' },
    currency: string,
    amount: { type: 'number' },
    vendor: string,
    address: string,
    cardType: string,
    cardNumber: string,
    countryOrigin: string,
  },
}
const days = { type: 'integer' }

const app = Fastify()
app.register(mercurius, { schema: typeDefs, resolvers, jit: 1 })
app.get(
  '/transactions/:days',
  {
    schema: {
      params: { type: 'object', properties: { days } },
      response: { 200: { type: 'array', items: transaction } },
    },
  },
  request => findTransactions(request.params.days),
)
app.get(
  '/transactions/:days/card/:cardType',
  {
    schema: {
      params: { type: 'object', properties: { days, cardType: string } },
      response: { 200: { type: 'object', properties: { count: { type: 'integer' } } } },
    },
  },
  async request => ({ count: await countByCard(request.params.days, request.params.cardType) }),
)
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
