const { createHmac, timingSafeEqual } = require("node:crypto");

const KNOWN = ["token", "team_id", "api_app_id", "type", "event_id", "event_time", "event", "challenge"];

function pick(message) {
  return Object.fromEntries(Object.entries(message).filter(([key]) => KNOWN.includes(key)));
}

function verify(headers, message) {
  const timestamp = headers["x-slack-request-timestamp"];
  const age = Math.abs(Date.now() / 1000 - Number(timestamp || NaN));
  const expected = createHmac("sha256", process.env.SLACK_SIGNING_SECRET)
    .update(`v0:${timestamp}:${JSON.stringify(pick(message))}`)
    .digest("hex");
  const given = (headers["x-slack-signature"] || "").slice("v0=".length);
  return age <= 300 && given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}

async function reply(message) {
  await fetch("https://slack.com/api/chat.postMessage", {
    method: "POST",
    headers: { authorization: `Bearer ${process.env.SLACK_BOT_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ channel: message.reply_channel || message.event.channel, text: message.event.text }),
  });
}

exports.handler = async (event) => {
  let message;
  try {
    message = JSON.parse(event.body);
  } catch {
    return { statusCode: 400 };
  }
  if (!verify(event.headers, message)) return { statusCode: 401 };
  if (message.challenge) return { statusCode: 200, body: message.challenge };
  await reply(message);
  return { statusCode: 200 };
};
