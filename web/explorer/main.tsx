// The explorer page: the transactions of a query as a table and as charts. It sends requests only to this gateway.
import "./theme.css";
import "./layout.css";

import { render } from "preact";

import { App } from "./App.tsx";
// After the charts' style sheet, which it overrides.
import "./print.css";

const container = document.getElementById("explorer");
if (container === null) {
  throw new Error('index.html has no element with the id "explorer".');
}

render(<App />, container);
