// The reference of the REST paths: Swagger UI on this gateway's own OpenAPI document.
import "swagger-ui-dist/swagger-ui.css";
import "./page.css";

import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-es-bundle.js";

import { findKey } from "../explorer/key.ts";
import { keepAuthorization, SECURITY_SCHEME } from "./authorization.ts";
import { followScheme } from "./scheme.ts";
import { offerNoStream } from "./stream.ts";

followScheme();

const reference: { preauthorizeApiKey(scheme: string, key: string): void } = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  // The badge would send the document's address to another host.
  validatorUrl: null,
  displayRequestDuration: true,
  // The paths describe their parameters and responses; the list of models would repeat that.
  defaultModelsExpandDepth: -1,
  // Highlighting a list of thousands of rows would block the page for minutes.
  syntaxHighlight: false,
  plugins: [keepAuthorization, offerNoStream],
  onComplete: () => {
    const key = findKey();
    if (key !== null) {
      reference.preauthorizeApiKey(SECURITY_SCHEME, key);
    }
  },
});
