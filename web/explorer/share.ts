// Writes a query for other programs: a REST path, and code for GraphiQL, a shell and Python that runs as it is.
// It never contains a key: code reads that from the environment.
import { buildFilter, type Question } from "./question.ts";

const KEY_VARIABLE = "TXGW_KEY";

export type ExportFormat = "csv" | "ndjson" | "json" | "parquet" | "arrow";

/** REST has no unlimited window; this is the longest that it accepts. */
const ALL_DAYS = 36_500;

/** For more rows, or the next page, users change the variables. */
const PAGE_SIZE = 100;
const PAGE_VARIABLES = `$first: Int = ${PAGE_SIZE}, $after: String`;
const PAGE_INFO = "pageInfo { hasNextPage endCursor }";

const FIELDS = ["id", "date", "currency", "amount", "vendor", "address", "cardType", "cardNumber", "countryOrigin"];

/** Builds the REST path of all rows of a query, newest first. */
export function buildPath(question: Question, parameters: Readonly<Record<string, string>> = {}): string {
  const { days, cardType: card, country, minAmount, maxAmount } = question;
  const query = new URLSearchParams(parameters);
  for (const [name, value] of Object.entries({ card, country, minAmount, maxAmount })) {
    if (value !== null) {
      query.set(name, value);
    }
  }
  return `/transactions/${days ?? ALL_DAYS}${query.size > 0 ? `?${query}` : ""}`;
}

export function buildExportPath(question: Question, format: ExportFormat): string {
  return buildPath(question, { format });
}

/** Builds an operation whose variables default to the query. */
export function buildGraphQL(question: Question): string {
  const filter = Object.entries(buildFilter(question))
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join(", ");
  return `query Transactions(
  $filter: TransactionFilter = {${filter}}
  $orderBy: TransactionOrder = ${question.order}
  ${PAGE_VARIABLES}
) {
  transactions(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    totalCount
    ${PAGE_INFO}
    nodes { ${FIELDS.join(" ")} }
  }
}
`;
}

/**
 * Builds a curl command: for REST, which streams all rows, or for a page of GraphQL, if REST does not support the order or
 * the window.
 */
export function buildCurl(question: Question, origin: string, hasKey: boolean): string {
  const credentials = hasKey ? ` -H "Authorization: Bearer $${KEY_VARIABLE}"` : "";
  if (question.order === "DATE_DESC" && question.days !== null) {
    return `curl -sS --compressed${credentials} ${quote(origin + buildPath(question))}\n`;
  }
  const query =
    `query ($filter: TransactionFilter, $orderBy: TransactionOrder, ${PAGE_VARIABLES}) ` +
    "{ transactions(filter: $filter, orderBy: $orderBy, first: $first, after: $after) " +
    `{ totalCount ${PAGE_INFO} nodes { ${FIELDS.join(" ")} } } }`;
  const body = quote(JSON.stringify({ query, variables: { filter: buildFilter(question), orderBy: question.order } }));
  return `curl -sS${credentials} -H 'Content-Type: application/json' ${quote(`${origin}/graphql`)} --data ${body}\n`;
}

/** Builds a Python program that only needs the standard library and prints all rows as JSON, one per line. */
export function buildPython(question: Question, origin: string, hasKey: boolean): string {
  const key = hasKey ? `, "Authorization": f"Bearer {os.environ['${KEY_VARIABLE}']}"` : "";
  return `import json
${hasKey ? "import os\n" : ""}from urllib.request import Request, urlopen

ADDRESS = ${JSON.stringify(`${origin}/graphql`)}
HEADERS = {"Content-Type": "application/json"${key}}
QUERY = """
query Transactions($filter: TransactionFilter, $orderBy: TransactionOrder, $after: String) {
  transactions(filter: $filter, orderBy: $orderBy, first: 1000, after: $after) {
    nodes { ${FIELDS.join(" ")} }
    pageInfo { hasNextPage endCursor }
  }
}
"""
FILTER = ${JSON.stringify(buildFilter(question))}


def list_transactions():
    """Give every transaction of the filter, page after page."""
    page = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        variables = {"filter": FILTER, "orderBy": "${question.order}", "after": page["endCursor"]}
        body = json.dumps({"query": QUERY, "variables": variables}).encode()
        with urlopen(Request(ADDRESS, body, HEADERS)) as response:
            answer = json.load(response)
        if "errors" in answer:
            raise SystemExit(answer["errors"][0]["message"])
        yield from answer["data"]["transactions"]["nodes"]
        page = answer["data"]["transactions"]["pageInfo"]


for transaction in list_transactions():
    print(json.dumps(transaction))
`;
}

/** Lists what users should know about generated code before running it. */
export function listHints(text: string): readonly string[] {
  return [
    ...(text.includes(PAGE_VARIABLES) ? [`It requests the first ${PAGE_SIZE} rows.`] : []),
    ...(text.includes(KEY_VARIABLE) ? [`Set ${KEY_VARIABLE} to your key.`] : []),
  ];
}

/** Quotes a text for a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
