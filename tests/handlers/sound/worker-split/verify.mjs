import { createHmac, timingSafeEqual } from "node:crypto";

export function verify(headers, body, secret = process.env.SLACK_SIGNING_SECRET) {
  const timestamp = headers["x-slack-request-timestamp"];
  const signature = headers["x-slack-signature"];
  if (!secret || !timestamp || !signature) return false;
  const age = Date.now() / 1000 - Number(timestamp);
  if (!(age <= 300 && age >= -300)) return false;
  const base = Buffer.concat([Buffer.from(`v0:${timestamp}:`), body]);
  const expected = Buffer.from(`v0=${createHmac("sha256", secret).update(base).digest("hex")}`);
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
