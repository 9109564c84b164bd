import { createHmac, timingSafeEqual } from "node:crypto";

const usage = "Usage: /deploy SERVICE STAGE";

async function authentic(event, body) {
  const timestamp = event.headers["x-slack-request-timestamp"];
  const signature = event.headers["x-slack-signature"];
  if (!timestamp || !signature || !(Math.abs(Date.now() / 1000 - timestamp) < 300)) return false;
  const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`);
  const expected = Buffer.from(`v0=${mac.digest("hex")}`, "utf8");
  const actual = Buffer.from(signature, "utf8");
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

export async function handler(event) {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString("utf8");
  const form = new URLSearchParams(body);
  const words = form.get("text").trim().split(/\s+/);

  const isHelp = words.includes("help") || words[0] === "";
  if (!isHelp && !(await authentic(event, body))) {
    return { statusCode: 401, body: "" };
  }
  if (words[0] === "help" || words[0] === "") return { statusCode: 200, body: usage };

  const [service, stage] = words;
  await fetch(form.get("response_url"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text: `Deploying ${service} to ${stage}` }),
  });
  return { statusCode: 200, body: "" };
}
