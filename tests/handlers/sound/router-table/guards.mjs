import { createHmac, timingSafeEqual } from "node:crypto";

const SECRET = process.env.SLACK_SIGNING_SECRET;
if (!SECRET) throw new Error("SLACK_SIGNING_SECRET is missing");

export const anyone = () => true;

export function signed(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"] ?? "";
  const signature = headers["x-slack-signature"] ?? "";
  if (!/^\d{10}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const own = createHmac("sha256", SECRET).update(`v0:${timestamp}:`).update(body).digest();
  return timingSafeEqual(own, Buffer.from(signature.slice(3), "hex"));
}
