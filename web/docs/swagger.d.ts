// The bundle alone: the package's own entry also looks for its folder, which only servers have.
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  export { SwaggerUIBundle as default } from "swagger-ui-dist";
}
