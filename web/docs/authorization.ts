// Makes Swagger UI's Authorize keep its key where the other pages look for it, for this tab only.
import { forgetKey, keepKey } from "../explorer/key.ts";

/** The name in gateway/openapi.py. */
export const SECURITY_SCHEME = "bearer";

type Authorize = Readonly<Record<string, { readonly value?: unknown }>>;

/** A Swagger UI plugin that keeps the key on authorization and forgets it on logout. */
export const keepAuthorization = () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (authorize: (given: Authorize) => unknown) => (given: Authorize) => {
          const key = given[SECURITY_SCHEME]?.value;
          if (typeof key === "string" && key.trim() !== "") {
            keepKey(key.trim());
          }
          return authorize(given);
        },
        logout: (logout: (names: readonly string[]) => unknown) => (names: readonly string[]) => {
          forgetKey();
          return logout(names);
        },
      },
    },
  },
});
