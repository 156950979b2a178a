// Just enough of Ethereum's ABI to call the contracts of `artifacts`: arguments in, one word out. No library is needed for so little.
//
// Values: integers as numbers or bigints, addresses and bytes as `0x` hex, strings as text or as `{ raw: "0x…" }` where they
// are no UTF-8 (Solidity does not mind), tuples and arrays as arrays.

const word = (value) => {
  const number = BigInt(value);
  return (number < 0n ? number + (1n << 256n) : number).toString(16).padStart(64, "0");
};

const padRight = (hex) => hex.padEnd(Math.ceil(hex.length / 64) * 64, "0");

const isDynamic = (input) =>
  input.type === "string" ||
  input.type === "bytes" ||
  input.type.endsWith("[]") ||
  (input.type === "tuple" && input.components.some(isDynamic));

// Heads first, then what does not fit into a head; an offset counts from the beginning of the heads.
function encodeMany(inputs, values) {
  if (inputs.length !== values.length) throw new Error(`${inputs.length} arguments expected, ${values.length} given`);
  const parts = inputs.map((input, index) => encode(input, values[index]));
  let offset = parts.reduce((sum, part, index) => sum + (isDynamic(inputs[index]) ? 32 : part.length / 2), 0);
  let heads = "";
  let tails = "";
  parts.forEach((part, index) => {
    if (!isDynamic(inputs[index])) {
      heads += part;
      return;
    }
    heads += word(offset);
    tails += part;
    offset += part.length / 2;
  });
  return heads + tails;
}

function encode(input, value) {
  const { type } = input;
  if (type.endsWith("[]")) {
    const element = { ...input, type: type.slice(0, -2) };
    return word(value.length) + encodeMany(value.map(() => element), value);
  }
  if (type === "tuple") return encodeMany(input.components, value);
  if (type === "string" || type === "bytes") {
    const hex = type === "bytes" ? value.slice(2) : (value.raw?.slice(2) ?? Buffer.from(value, "utf8").toString("hex"));
    return word(hex.length / 2) + padRight(hex);
  }
  if (/^bytes\d+$/.test(type)) return padRight(value.slice(2));
  if (type === "bool") return word(value ? 1 : 0);
  if (type === "address" || /^u?int\d*$/.test(type)) return word(value);
  throw new Error(`the type ${type} is not known here`);
}

export const encodeArguments = (inputs, values) => encodeMany(inputs, values);

const canonicalType = (input) =>
  input.type.startsWith("tuple")
    ? `(${input.components.map(canonicalType).join(",")})${input.type.slice("tuple".length)}`
    : input.type;

// The text whose hash begins with the selector.
export const signatureOf = (item) => `${item.name}(${item.inputs.map(canonicalType).join(",")})`;

// The bytes of the one string or bytes value that a call returned.
export function decodeBytes(hex) {
  const length = Number(BigInt(`0x${hex.slice(2 + 64, 2 + 128)}`));
  return `0x${hex.slice(2 + 128, 2 + 128 + 2 * length)}`;
}
