// Sends operations to the address that served the page, and to no other host; subscriptions by WebSocket (graphql-ws).
import { createGraphiQLFetcher, type Fetcher, type FetcherParams } from "@graphiql/toolkit";
import { type DocumentNode, Kind, type OperationDefinitionNode, parse } from "graphql";

import { buildCredentials } from "../explorer/key.ts";

const url = window.location.origin + window.location.pathname;

export const fetcher: Fetcher = (params, options = {}) => {
  // A new fetcher for each operation: the key may have changed, and each subscription has its own socket.
  const credentials = chooseCredentials(options.headers);
  const send = createGraphiQLFetcher({
    url,
    subscriptionUrl: url.replace(/^http/, "ws"),
    headers: credentials,
    wsConnectionParams: credentials,
    // The gateway does not support incremental delivery, so multipart responses are not requested.
    enableIncrementalDelivery: false,
  });
  const document = findDocument(params.query);
  return send(
    document ? { ...params, operationName: chooseName(document, params) } : params,
    document ? { ...options, documentAST: document } : options,
  );
};

/** Credentials in the Headers editor, in any case, take precedence over the stored key. */
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
 * GraphiQL updates the operation's name a moment after the text: running it right after a change of tab or an edit would
 * send the old name with the new text, which the server must refuse.
 */
function chooseName(document: DocumentNode, { operationName }: FetcherParams): string | null {
  const names = document.definitions
    .filter((definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION)
    .map((definition) => definition.name?.value ?? null);
  return names.find((name) => name === operationName) ?? (names.length === 1 ? (names[0] ?? null) : null);
}
