// Lists the packages that end up in the pages, with their licences: the wheel redistributes them.
// Vite's own `build.license` is not used because it leaves out what only a web worker imports.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

interface Package {
  name: string;
  version: string;
  license?: string;
}

// GraphiQL embeds these fonts in its style sheet without a package of their own.
const fonts = `## Fonts

- Roboto (Apache-2.0), https://github.com/googlefonts/roboto-2
- Fira Code (OFL-1.1), https://github.com/tonsky/FiraCode
- Codicons (CC-BY-4.0), https://github.com/microsoft/vscode-codicons
`;

/** Two plugins that share one list: `worker` adds what web workers bundle, `page` adds the rest and writes `fileName`. */
export function buildNotices(fileName: string): { page: Plugin; worker: Plugin } {
  const sections = new Map<string, string>();

  function add(moduleIds: Iterable<string>): void {
    for (const id of moduleIds) {
      const folder = findPackageFolder(id);
      if (folder !== undefined && !sections.has(folder)) {
        sections.set(folder, describe(folder, `${id}.LICENSE.txt`));
      }
    }
  }

  return {
    worker: {
      name: "notices:worker",
      generateBundle() {
        add(this.getModuleIds());
      },
    },
    page: {
      name: "notices:page",
      generateBundle() {
        add(this.getModuleIds());
        const hasFonts = [...sections.keys()].some((folder) => folder.endsWith("/graphiql"));
        const list = [...sections.values()].sort();
        const source = ["# Third-party software in this page\n", ...(hasFonts ? [fonts] : []), ...list].join("\n");
        this.emitFile({ type: "asset", fileName, source });
      },
    },
  };
}

/** The folder of the npm package that a module belongs to; nothing for modules of our own and virtual ones. */
function findPackageFolder(moduleId: string): string | undefined {
  return /^[^\0]*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(moduleId)?.[0];
}

/** `bundled` is the file in which a prebundled package lists what it contains. */
function describe(folder: string, bundled: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Package;
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice|thirdpartynotices)/i.test(file))
    .map((file) => readFileSync(join(folder, file), "utf8").trim());
  if (existsSync(bundled)) {
    texts.push(readFileSync(bundled, "utf8").trim());
  }
  return [`## ${name} ${version} (${license ?? "licence not stated"})`, ...texts].join("\n\n") + "\n";
}
