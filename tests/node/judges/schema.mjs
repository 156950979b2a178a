// Says of each value whether a JSON Schema takes it, by Ajv: `{"schema": {…}, "values": [{"of": "#/$defs/grant", "value": …}]}` on standard
// input, an array of `null` or of what is wrong on standard output.
import { readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";

const { schema, values } = JSON.parse(readFileSync(0, "utf8"));
const ajv = new Ajv2020({ strict: true, allErrors: false });
ajv.addSchema(schema, "schema");
const judged = values.map(({ of, value }) => {
  const validate = ajv.getSchema(`schema${of}`);
  if (!validate) throw new Error(`the schema has no ${of}`);
  return validate(value) ? null : ajv.errorsText(validate.errors);
});
process.stdout.write(JSON.stringify(judged));
