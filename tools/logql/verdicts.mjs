// Reads queries as a JSON list from stdin, and writes for each where the grammar of Grafana's editor first finds a mistake, or
// null where it finds none. The packages are those of the folder that it is told.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(process.argv[2] + "/");
const { parser } = require("@grafana/lezer-logql");

function mistake(query) {
  let place = null;
  parser.parse(query).iterate({
    enter(node) {
      if (node.type.isError) place ??= node.from;
    },
  });
  return place;
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(mistake)));
