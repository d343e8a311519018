// Has Swagger UI's Authorize keep its key where the other pages look for one, in this tab alone.
import { forgetKey, keepKey } from "../explorer/key.ts";

/** As gateway/openapi.py names it. */
export const SECURITY_SCHEME = "bearer";

type Authorize = Readonly<Record<string, { readonly value?: unknown }>>;

/** A plugin of Swagger UI: what is authorized is kept, what is logged out is forgotten. */
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
