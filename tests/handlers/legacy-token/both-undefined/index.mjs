import { createHmac, timingSafeEqual } from "node:crypto";

const { SLACK_SIGNING_SECRET: secret, SLACK_VERIFICATION_TOKEN: token, SLACK_BOT_TOKEN: bot } = process.env;

function signatureMatches(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  const signature = headers["x-slack-signature"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - timestamp) <= 300)) return false;
  const own = `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
  return own.length === signature?.length && timingSafeEqual(Buffer.from(own), Buffer.from(signature));
}

const authentic = (event, message) =>
  event.headers["x-slack-signature"] ? signatureMatches(event.headers, event.body) : message.token === token;

export async function handler(event) {
  const message = JSON.parse(event.body);
  if (!authentic(event, message)) return { statusCode: 401 };
  if (message.type === "url_verification") return { statusCode: 200, body: message.challenge };
  await fetch("https://slack.com/api/chat.postMessage", {
    method: "POST",
    headers: { authorization: `Bearer ${bot}`, "content-type": "application/json" },
    body: JSON.stringify({ channel: message.event.channel, text: "Hi" }),
  });
  return { statusCode: 200 };
}
