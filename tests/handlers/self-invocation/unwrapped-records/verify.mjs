import { createHmac, timingSafeEqual } from "node:crypto";

export function slackSigned({ headers, body }) {
  const stamp = headers["x-slack-request-timestamp"] ?? "";
  const seconds = Number(stamp);
  if (!stamp || !Number.isFinite(seconds) || Math.abs(Date.now() / 1000 - seconds) > 300) return false;
  const expected = `v0=${createHmac("sha256", process.env.SLACK_SIGNING_SECRET)
    .update(["v0", stamp, body].join(":"))
    .digest("hex")}`;
  const signature = headers["x-slack-signature"] ?? "";
  return signature.length === expected.length && timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
}
