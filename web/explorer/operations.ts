// What the explorer's operations take and give, by schema/schema.graphql.
// Written by `python -m tests.web_types --write`: change the operations or the schema, not this file.

/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
