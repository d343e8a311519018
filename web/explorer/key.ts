// The API key that a person entered. The browser keeps it for this tab alone; GraphiQL reads the same name.

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

/** Gives the header that proves who asks (RFC 6750), none without a key. */
export function buildCredentials(): Readonly<Record<string, string>> {
  const key = findKey();
  return key === null ? {} : { Authorization: `Bearer ${key}` };
}
