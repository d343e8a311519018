// Sends operations to the address that served the page, and to no other host.
import { createGraphiQLFetcher, type Fetcher, type FetcherParams } from "@graphiql/toolkit";
import { Kind, parse } from "graphql";

// The gateway answers in one piece, so no parts are offered to it.
const send = createGraphiQLFetcher({ url: window.location.pathname, enableIncrementalDelivery: false });

export const fetcher: Fetcher = (params, options) => send(dropStaleName(params), options);

/**
 * GraphiQL notes the operation's name a moment after the text: who opens another tab, or edits, and runs at once
 * would send the former name with the new text, which the server must refuse.
 */
function dropStaleName(params: FetcherParams): FetcherParams {
  return definesOperation(params.query, params.operationName) ? params : { ...params, operationName: null };
}

function definesOperation(query: string, name: string | null | undefined): boolean {
  try {
    return parse(query).definitions.some(
      (definition) => definition.kind === Kind.OPERATION_DEFINITION && definition.name?.value === name,
    );
  } catch {
    return true; // the server explains a syntax error better than this page could
  }
}
