// The explorer page: transactions of a filter as a table and as charts, from this gateway's own GraphQL address.
import { render } from "preact";

const container = document.getElementById("explorer");
if (container === null) {
  throw new Error('index.html has no element with the id "explorer".');
}

render(<h1>Transactions</h1>, container);
