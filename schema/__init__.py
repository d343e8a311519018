"""The GraphQL schema and the resolvers that both API styles call. It knows no HTTP."""
