// Removes "Try it out" from the operation with an endless response: Swagger UI only shows complete responses.

const STREAM = "/transactions/live";

/** The Swagger UI plugin. */
export const offerNoStream = () => ({
  statePlugins: {
    spec: {
      wrapSelectors: {
        allowTryItOutFor: () => (_state: unknown, path: string) => path !== STREAM,
      },
    },
  },
});
