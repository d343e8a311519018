// Sends operations to the address that served the page, and to no other host; subscriptions by WebSocket (graphql-ws).
import { createGraphiQLFetcher, type Fetcher, type FetcherParams } from "@graphiql/toolkit";
import { type DocumentNode, Kind, type OperationDefinitionNode, parse } from "graphql";

import { buildCredentials } from "../explorer/key.ts";

const url = window.location.origin + window.location.pathname;

export const fetcher: Fetcher = (params, options = {}) => {
  // For each operation anew: the key may be another, and a socket belongs to its subscription.
  const credentials = chooseCredentials(options.headers);
  const send = createGraphiQLFetcher({
    url,
    subscriptionUrl: url.replace(/^http/, "ws"),
    headers: credentials,
    wsConnectionParams: credentials,
    // The gateway answers in one piece, so no parts are offered to it.
    enableIncrementalDelivery: false,
  });
  const document = findDocument(params.query);
  return send(
    document ? { ...params, operationName: chooseName(document, params) } : params,
    document ? { ...options, documentAST: document } : options,
  );
};

/** Who writes credentials into the Headers editor means those, in whatever case. */
function chooseCredentials(headers: Record<string, unknown> = {}): Record<string, string> {
  const isGiven = Object.keys(headers).some((name) => /^(authorization|x-api-key)$/i.test(name));
  return isGiven ? {} : { ...buildCredentials() };
}

function findDocument(query: string): DocumentNode | undefined {
  try {
    return parse(query);
  } catch {
    return undefined; // the server explains a syntax error better than this page could
  }
}

/**
 * GraphiQL notes the operation's name a moment after the text: who opens another tab, or edits, and runs at once
 * would send the former name with the new text, which the server must refuse.
 */
function chooseName(document: DocumentNode, { operationName }: FetcherParams): string | null {
  const names = document.definitions
    .filter((definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION)
    .map((definition) => definition.name?.value ?? null);
  return names.find((name) => name === operationName) ?? (names.length === 1 ? (names[0] ?? null) : null);
}
