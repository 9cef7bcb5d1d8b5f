// Where a text stops being JSON. Browsers know, but not all of them say.

const TOKEN = /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-]))/y;

/** `{line, column}`, from 1, of the first thing that cannot stand where it is. */
export function jsonFault(text) {
  // What may come next, the innermost last: `value`, `item` (a value or the end of a list) …
  const stack = ["end", "value"];
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (!found || !step(stack, found)) return placeAt(text, at);
    at = TOKEN.lastIndex;
  }
}

/** Takes a token; false when it cannot stand here. */
function step(stack, [, sign, string, word]) {
  const expected = stack.pop();
  const scalar = string !== undefined || word !== undefined;
  switch (expected) {
    case "value":
    case "item":
      if (scalar) return true;
      if (sign === "{") return stack.push("name or end") > 0;
      if (sign === "[") return stack.push("list", "item") > 0;
      if (sign !== "]" || expected !== "item") return false;
      // The list is empty: nothing more belongs to it.
      return stack.pop() === "list";
    case "list":
      if (sign === ",") return stack.push("list", "value") > 0;
      return sign === "]";
    case "name or end":
      if (sign === "}") return true;
      if (string !== undefined) return stack.push("object", "value", "colon") > 0;
      return false;
    case "name":
      return string !== undefined && stack.push("object", "value", "colon") > 0;
    case "colon":
      return sign === ":";
    case "object":
      if (sign === ",") return stack.push("name") > 0;
      return sign === "}";
    default:
      return false;
  }
}

function placeAt(text, from) {
  const at = from + /^[ \t\r\n]*/.exec(text.slice(from))[0].length;
  const lines = text.slice(0, at).split("\n");
  return { line: lines.length, column: lines.at(-1).length + 1 };
}
