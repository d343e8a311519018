// Takes "Try it out" from the operation whose answer has no end: Swagger UI shows an answer once it is whole.

const STREAM = "/transactions/live";

/** A plugin of Swagger UI. */
export const offerNoStream = () => ({
  statePlugins: {
    spec: {
      wrapSelectors: {
        allowTryItOutFor: () => (_state: unknown, path: string) => path !== STREAM,
      },
    },
  },
});
