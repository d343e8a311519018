// What GraphiQL keeps in the browser between visits: never a card number, and never credentials.

// Matches card numbers as database/errors.py does, and keys as gateway/keys.py creates them.
const SECRET = /\d(?:[^0-9A-Za-z]{0,2}\d){11,}|txgw_\w+/g;

// The history would keep the headers of each operation, regardless of shouldPersistHeaders.
const HISTORY = ["graphiql:queries", "graphiql:favorites"];

const dropHeaders = (json: string): string =>
  JSON.stringify(JSON.parse(json), (key, value: unknown) => (key === "headers" ? undefined : value));

export const storage: Storage = {
  get length() {
    return localStorage.length;
  },
  clear: () => localStorage.clear(),
  getItem: (key) => localStorage.getItem(key),
  key: (index) => localStorage.key(index),
  removeItem: (key) => localStorage.removeItem(key),
  setItem: (key, value) =>
    localStorage.setItem(key, (HISTORY.includes(key) ? dropHeaders(value) : value).replace(SECRET, "************")),
};
