// What the peers for Node share: one collection, its schema and its resolvers, as their documentation shows them.
// https://www.mongodb.com/docs/drivers/node/current/ and https://www.apollographql.com/docs/apollo-server/schema/custom-scalars
import { GraphQLScalarType } from 'graphql'
import { MongoClient } from 'mongodb'

const DAY_MS = 86_400_000
const collection = new MongoClient(process.env.MONGO_URI).db().collection('transaction')

const buildWindow = days => {
  const now = Date.now()
  return { date: { $gte: now - days * DAY_MS, $lte: now } }
}

export const findTransactions = (days, limit = 0) =>
  collection.find(buildWindow(days)).sort({ date: -1, _id: -1 }).limit(limit).toArray()

export const countByCard = (days, cardType) =>
  collection.countDocuments({ ...buildWindow(days), cardType }, { collation: { locale: 'en', strength: 2 } })

export const typeDefs = `
  scalar DateTime
  scalar Decimal

  type Transaction {
    id: ID!
    date: DateTime!
    currency: String!
    amount: Decimal!
    vendor: String!
    address: String!
    cardType: String!
    cardNumber: String!
    countryOrigin: String!
  }

  type Query {
    transactions(days: Int!, first: Int!): [Transaction!]!
  }
`

export const resolvers = {
  DateTime: new GraphQLScalarType({ name: 'DateTime', serialize: value => new Date(value).toISOString() }),
  Decimal: new GraphQLScalarType({ name: 'Decimal', serialize: value => value.toFixed(2) }),
  Transaction: { id: document => document._id },
  Query: { transactions: (_, { days, first }) => findTransactions(days, first) },
}
