import crypto from "node:crypto";

export async function readBody(request, next) {
  const { body, isBase64Encoded } = request.event;
  return next({ ...request, body: Buffer.from(body ?? "", isBase64Encoded ? "base64" : "utf8") });
}

export async function requireSignature(request, next) {
  const secret = process.env.SLACK_SIGNING_SECRET;
  if (!secret) return { statusCode: 500, body: "" };
  const { "x-slack-request-timestamp": timestamp, "x-slack-signature": signature } = request.event.headers;
  const seconds = /^[0-9]+$/.test(timestamp) ? Number(timestamp) : NaN;
  const recent = Math.abs(Date.now() / 1000 - seconds) <= 300;
  const mac = crypto.createHmac("sha256", secret);
  mac.update(`v0:${timestamp}:`);
  mac.update(request.body);
  const expected = Buffer.from("v0=" + mac.digest("hex"));
  const actual = Buffer.from(signature ?? "");
  const equal = actual.length === expected.length && crypto.timingSafeEqual(actual, expected);
  return recent && equal ? next(request) : { statusCode: 401, body: "" };
}

export async function parseForm(request, next) {
  return next({ ...request, form: new URLSearchParams(request.body.toString()) });
}
