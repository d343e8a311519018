// The tabs of a first visit: the gateway's queries, each as an operation that runs as it is.
// Lines hold at most 44 characters, which is what the editor shows without scrolling in a window of 1280 pixels.

export const examples = [
  {
    query: `# Which transactions were made in the last
# 90 days? Newest first, 20 to a page; for
# the next page add after: "<endCursor>".
# Ctrl-Enter runs the operation.
query Transactions {
  transactions(
    filter: {days: 90}
    first: 20
  ) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      id
      date
      amount
      currency
      vendor
      cardType
      cardNumber
      countryOrigin
    }
  }
}
`,
  },
  {
    query: `# How many transactions of the last days
# were made with one type of card? Values
# stand in the Variables editor below.
query CountByCard(
  $days: Int!
  $cardType: String!
) {
  transactions(
    filter: {
      days: $days
      cardType: $cardType
    }
  ) {
    totalCount
  }
}
`,
    variables: JSON.stringify({ days: 90, cardType: "Visa" }, null, 2),
  },
  {
    query: `# Which transactions of the last 90 days
# came from one country? Its ISO 3166-1 code
# may have two letters or three.
query ByCountry {
  transactions(
    filter: {days: 90, country: "US"}
    first: 20
  ) {
    totalCount
    nodes {
      id
      date
      amount
      currency
      vendor
      countryOrigin
    }
  }
}
`,
  },
  {
    query: `# Which transactions of the last 90 days lie
# between two amounts? Both are included.
# In quotes no digit of an amount is lost.
query ByAmount {
  transactions(
    filter: {
      days: 90
      minAmount: "100.00"
      maxAmount: "999.00"
    }
    first: 20
  ) {
    totalCount
    nodes {
      id
      date
      amount
      currency
      vendor
    }
  }
}
`,
  },
  {
    query: `# How did the number of transactions change
# from day to day, with each type of card?
# A day without any is there too, with 0.
query ByDay {
  transactionSummary(
    filter: {days: 90}
    groupBy: [DAY, CARD_TYPE]
    timeZone: "UTC"
  ) {
    groups {
      day
      cardType
      count
    }
  }
}
`,
  },
  {
    query: `# Which ten countries do most transactions
# of the last 90 days come from, and what do
# their amounts add up to? Sums are exact and
# never mix currencies.
query SumsByCountry {
  transactionSummary(
    filter: {days: 90}
    groupBy: [COUNTRY]
    orderBy: COUNT_DESC
    top: 10
  ) {
    groups {
      country
      count
      amounts {
        currency
        count
        sum
        average
      }
    }
  }
}
`,
  },
  {
    query: `# Which transactions are added from now on?
# Each shows as it comes, until you press the
# button again. A filter may narrow them.
subscription Added {
  transactionAdded {
    id
    date
    amount
    currency
    vendor
    cardType
    countryOrigin
  }
}
`,
  },
  {
    query: `# How many transactions has the last day, by
# type of card? The answer comes at once, and
# again when one that is added has changed it.
subscription Watched {
  summaryChanged(
    filter: {days: 1}
    groupBy: [CARD_TYPE]
  ) {
    groups {
      cardType
      count
    }
  }
}
`,
  },
];
