// The explorer page: transactions of a question as a table and as charts, from this gateway's own addresses.
import "./theme.css";
import "./layout.css";

import { render } from "preact";

import { App } from "./App.tsx";
// After the charts' own style, which it changes.
import "./print.css";

const container = document.getElementById("explorer");
if (container === null) {
  throw new Error('index.html has no element with the id "explorer".');
}

render(<App />, container);
