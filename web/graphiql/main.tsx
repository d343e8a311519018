// The GraphiQL page: an editor for this gateway's own GraphQL address, and for no other host.
import "graphiql/setup-workers/vite";
import "graphiql/style.css";

import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { examples } from "./examples";
import { fetcher } from "./fetcher";
import { openKeyForm } from "./keyForm";
import { storage } from "./storage";

const container = document.getElementById("graphiql");
const form = document.querySelector<HTMLFormElement>("form#key");
if (container === null || form === null) {
  throw new Error("index.html lacks the element #graphiql or the form #key.");
}
openKeyForm(form);

// `plugins` is not passed: it would replace the history. The examples show until the browser has stored tabs;
// the variables show from the start because one example has some.
createRoot(container).render(
  <GraphiQL
    fetcher={fetcher}
    storage={storage}
    shouldPersistHeaders={false}
    defaultTabs={examples}
    defaultEditorToolsVisibility="variables"
  >
    {/* Empty: the page's header has the name, without a link to another site. */}
    <GraphiQL.Logo> </GraphiQL.Logo>
  </GraphiQL>,
);
