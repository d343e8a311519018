// The reference of the REST paths: Swagger UI on this gateway's own OpenAPI document.
import "swagger-ui-dist/swagger-ui.css";
import { SwaggerUIBundle } from "swagger-ui-dist";

SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs" });
