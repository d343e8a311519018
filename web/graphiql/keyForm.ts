// The form for the API key. The browser keeps it for this tab only (../explorer/key.ts); GraphiQL never sees it.
import { findKey, forgetKey, keepKey } from "../explorer/key.ts";

// The characters that the header allows (RFC 6750, section 2.1).
const TOKEN = /^[\w\-.~+/]+=*$/;

/** Lets a form store or forget the key, after which the page loads the schema again. */
export function openKeyForm(form: HTMLFormElement): void {
  const field = get(form, "input");
  const forget = get<HTMLButtonElement>(form, 'button[type="button"]');
  if (findKey() !== null) {
    field.placeholder = "a key is set";
    forget.hidden = false;
  }
  field.addEventListener("input", () => {
    const isToken = TOKEN.test(field.value.trim());
    field.setCustomValidity(isToken ? "" : "Enter it exactly as issued: letters, digits and -._~+/= without spaces.");
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepKey(field.value.trim());
    window.location.reload();
  });
  forget.addEventListener("click", () => {
    forgetKey();
    window.location.reload();
  });
}

function get<Found extends HTMLElement = HTMLInputElement>(form: HTMLFormElement, selector: string): Found {
  const found = form.querySelector<Found>(selector);
  if (found === null) {
    throw new Error(`The form for the key has no ${selector}.`);
  }
  return found;
}
