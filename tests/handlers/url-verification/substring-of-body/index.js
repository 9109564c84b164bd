const { createHmac, timingSafeEqual } = require("node:crypto");

const WINDOW = 5 * 60;

function check(headers, body) {
  const lower = {};
  for (const name in headers) lower[name.toLowerCase()] = headers[name];
  const sent = parseInt(lower["x-slack-request-timestamp"], 10);
  if (Number.isNaN(sent) || Math.abs(Date.now() / 1000 - sent) > WINDOW) throw new Error("stale");
  const ours = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${sent}:${body}`).digest("hex");
  const theirs = String(lower["x-slack-signature"]);
  if (theirs.length !== 67 || !timingSafeEqual(Buffer.from(`v0=${ours}`), Buffer.from(theirs))) {
    throw new Error("signature");
  }
}

async function reply(event) {
  await fetch("https://slack.com/api/chat.postMessage", {
    method: "POST",
    headers: { authorization: `Bearer ${process.env.SLACK_BOT_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ channel: event.channel, text: `Looking at: ${event.text}` }),
  });
}

exports.handler = async function (event) {
  const body = event.body || "";
  if (!body.includes("url_verification")) {
    try {
      check(event.headers, body);
    } catch (error) {
      console.warn("refused", error.message);
      return { statusCode: 401, body: "" };
    }
  }
  const message = JSON.parse(body);
  switch (message.type) {
    case "url_verification":
      return { statusCode: 200, body: message.challenge };
    case "event_callback":
      await reply(message.event);
      return { statusCode: 200, body: "" };
    default:
      return { statusCode: 400, body: "" };
  }
};
