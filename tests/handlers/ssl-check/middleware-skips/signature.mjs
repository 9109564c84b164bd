import { createHmac, timingSafeEqual } from "node:crypto";

export async function verifySignature(request, next) {
  if (request.form.ssl_check) return next(); // Slack does not sign the certificate check

  const timestamp = Number(request.headers["x-slack-request-timestamp"]);
  if (!Number.isInteger(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > 300) {
    return { statusCode: 401 };
  }
  const expected = createHmac("sha256", process.env.SLACK_SIGNING_SECRET)
    .update(`v0:${timestamp}:${request.body}`)
    .digest();
  const given = Buffer.from((request.headers["x-slack-signature"] ?? "").slice(3), "hex");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return { statusCode: 401 };
  return next();
}
