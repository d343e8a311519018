// A question as others can ask it: a REST path, and texts for GraphiQL, a shell and Python that run as they stand.
// A key never gets into them: they read it from the environment.
import { buildFilter, type Question } from "./question.ts";

const KEY_VARIABLE = "TXGW_KEY";

export type ExportFormat = "csv" | "ndjson" | "json" | "parquet" | "arrow";

/** REST knows no window without an end; this one is the longest it takes. */
const ALL_DAYS = 36_500;

/** Whoever wants more rows, or the next, changes the variables. */
const PAGE_SIZE = 100;
const PAGE_VARIABLES = `$first: Int = ${PAGE_SIZE}, $after: String`;
const PAGE_INFO = "pageInfo { hasNextPage endCursor }";

const FIELDS = ["id", "date", "currency", "amount", "vendor", "address", "cardType", "cardNumber", "countryOrigin"];

/** Gives the path of all rows of a question, newest first, as REST answers them. */
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

/** Gives an operation whose variables have the question as their defaults. */
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
 * Gives a command: REST's, which streams all rows, or GraphQL's, which asks for a page of them, where REST has not the
 * order or the window.
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

/** Gives a program for Python's standard library alone, which writes all rows as JSON, a line each. */
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

/** Gives what a person should know of a text before running it. */
export function listHints(text: string): readonly string[] {
  return [
    ...(text.includes(PAGE_VARIABLES) ? [`It asks for the first ${PAGE_SIZE} rows.`] : []),
    ...(text.includes(KEY_VARIABLE) ? [`Set ${KEY_VARIABLE} to your key.`] : []),
  ];
}

/** Quotes a text for a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
