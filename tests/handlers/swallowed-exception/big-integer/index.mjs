import { createHmac, timingSafeEqual } from "node:crypto";

class Unauthorized extends Error {}

const steps = [
  ({ headers }) => {
    if (!headers["x-slack-signature"] || !headers["x-slack-request-timestamp"]) throw new Unauthorized("unsigned");
  },
  ({ headers, body, now }) => {
    const timestamp = BigInt(headers["x-slack-request-timestamp"]);
    const age = now - timestamp;
    if (age > 300n || age < -300n) throw new Unauthorized("stale");
    const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`);
    const own = Buffer.from(`v0=${mac.digest("hex")}`);
    const sent = Buffer.from(headers["x-slack-signature"]);
    if (own.length !== sent.length || !timingSafeEqual(own, sent)) throw new Unauthorized("forged");
  },
  async ({ body }) => {
    const { type, challenge, event } = JSON.parse(body);
    if (type === "url_verification") return { statusCode: 200, body: challenge };
    await fetch("https://slack.com/api/chat.postMessage", {
      method: "POST",
      headers: { authorization: `Bearer ${process.env.SLACK_BOT_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ channel: event.channel, text: "Deploying" }),
    });
    return { statusCode: 200, body: "" };
  },
];

export async function handler({ headers, body }) {
  let answer = { statusCode: 500, body: "" };
  for (const step of steps) {
    try {
      answer = (await step({ headers, body, now: BigInt(Math.floor(Date.now() / 1000)) })) ?? answer;
    } catch (error) {
      if (error instanceof Unauthorized) return { statusCode: 401, body: error.message };
      console.error(error);
    }
  }
  return answer;
}
