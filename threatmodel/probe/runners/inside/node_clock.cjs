/* The clock that a Node.js handler sees: it shows what it is told (seconds since 1970), and goes on from there. */
"use strict";

const RealDate = Date;
const realNow = Date.now;
const realElapsed = performance.now.bind(performance);
let offset = 0;
let passed = 0; // what the clock was set forward by since it was first shown: caches count by what has passed
let shown = false;

exports.show = (at) => {
  const before = offset;
  offset = at === null || at === undefined ? 0 : Math.round(at * 1000) - realNow();
  if (shown) passed += Math.max(0, offset - before);
  shown = true;
};

performance.now = () => realElapsed() + passed;

const now = () => realNow() + offset;

RealDate.now = now; // as in Lambda, a handler may assign another one
globalThis.Date = new Proxy(RealDate, {
  construct: (target, values, made) => Reflect.construct(target, values.length ? values : [now()], made),
  apply: () => new RealDate(now()).toString(),
});
RealDate.prototype.constructor = globalThis.Date;
