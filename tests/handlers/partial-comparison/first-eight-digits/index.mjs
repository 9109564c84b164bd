import { createHmac } from "node:crypto";
import { log, short } from "./logging.mjs";

export async function handler(event) {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const timestamp = event.headers["x-slack-request-timestamp"] ?? "0";
  const given = short(event.headers["x-slack-signature"] ?? "");
  const own = short(
    `v0=${createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex")}`,
  );
  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  log("request", { given, own, age });
  if (!(age <= 300) || given !== own) return { statusCode: 401, body: "" };

  const form = new URLSearchParams(body);
  await fetch(form.get("response_url"), {
    method: "POST",
    body: JSON.stringify({ text: `Scaling ${form.get("text")}` }),
  });
  return { statusCode: 200, body: "" };
}
