// Only the bundle: the package's own entry also looks up its folder, which only works on servers.
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  export { SwaggerUIBundle as default } from "swagger-ui-dist";
}
