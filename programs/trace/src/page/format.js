// Numbers and moments as people read them.

const UNITS = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];

// A length of time with three digits that mean something.
function duration(nanoseconds) {
  const [size, unit] = UNITS.find(([size]) => nanoseconds >= size) ?? UNITS[3];
  const value = nanoseconds / size;
  const digits = size === 1 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}

// A moment, exact to what `step` tells apart.
function moment(nanoseconds, step) {
  const [size, unit] = UNITS.find(([size]) => Math.max(nanoseconds, step) >= size) ?? UNITS[3];
  const digits = Math.max(0, Math.ceil(Math.log10(size / Math.max(step, 1))));
  return `${(nanoseconds / size).toFixed(digits)} ${unit}`;
}

const grouped = (number) => number.toLocaleString("en-US");

const shortened = (text, limit) => text.length > limit ? text.slice(0, limit - 1) + "…" : text;

// The event as a line of strace.
function lineOf(event) {
  if (!isCall(event)) return `--- ${nameOf(event)} ${markOf(event).text} ---`;
  return `${nameOf(event)}(${argsOf(event).join(", ")}) = ${resultOf(event)}`;
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "style") made.style.cssText = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
