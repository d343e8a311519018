// The API key that the user entered. The browser keeps it for this tab only; the other pages use this module too.

const NAME = "txgw:key";

export function findKey(): string | null {
  return sessionStorage.getItem(NAME);
}

export function keepKey(key: string): void {
  sessionStorage.setItem(NAME, key);
}

export function forgetKey(): void {
  sessionStorage.removeItem(NAME);
}

/** Returns the header that authenticates requests (RFC 6750); none without a key. */
export function buildCredentials(): Readonly<Record<string, string>> {
  const key = findKey();
  return key === null ? {} : { Authorization: `Bearer ${key}` };
}
