// The page's name, and the links to the other pages and to the API key.

type MastheadProps = { readonly hasKey: boolean; readonly onKey: () => void };

export function Masthead({ hasKey, onKey }: MastheadProps) {
  return (
    <header class="masthead">
      <h1>
        <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
          <rect class="mark" x="2" y="6" width="28" height="20" rx="4" />
          <rect class="hole" x="2" y="11" width="28" height="4" />
          <rect class="hole" x="6" y="19" width="9" height="3" rx="1.5" />
        </svg>
        Transactions
      </h1>
      <nav aria-label="Other interfaces">
        <a href="/graphql">GraphiQL</a>
        <a href="/docs">API reference</a>
        <button type="button" class="small" aria-label={hasKey ? "API key, one is set" : "API key"} onClick={onKey}>
          API key{hasKey && " ✓"}
        </button>
      </nav>
    </header>
  );
}
