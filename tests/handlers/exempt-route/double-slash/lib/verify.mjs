import { createHmac, timingSafeEqual } from "node:crypto";

const FIVE_MINUTES = 300;

export function verify(headers, body, secret) {
  const timestamp = Number.parseInt(headers["x-slack-request-timestamp"], 10);
  const age = Math.abs(Math.trunc(Date.now() / 1000) - timestamp);
  if (Number.isNaN(age) || age > FIVE_MINUTES) return false;
  const expected = Buffer.from(sign(timestamp, body, secret));
  const given = Buffer.from(String(headers["x-slack-signature"]));
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function sign(timestamp, body, secret) {
  return `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
}
