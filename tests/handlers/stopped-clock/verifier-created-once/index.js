const { createHmac, timingSafeEqual } = require("node:crypto");

function createVerifier({ secret, now = Date.now() / 1000, tolerance = 300 }) {
  return function verify(timestamp, signature, body) {
    if (!timestamp || !signature) return false;
    if (!(Math.abs(now - timestamp) <= tolerance)) return false;
    const expected = `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
    return signature.length === expected.length && timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
  };
}

const verify = createVerifier({ secret: process.env.SLACK_SIGNING_SECRET });

exports.handler = async (event) => {
  const { "X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature } = event.headers;
  if (!verify(timestamp, signature, event.body)) return { statusCode: 401, body: "" };

  const message = JSON.parse(event.body);
  if (message.type === "event_callback" && message.event.type === "app_mention") {
    await fetch("https://slack.com/api/chat.postMessage", {
      method: "POST",
      headers: { authorization: `Bearer ${process.env.SLACK_BOT_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ channel: message.event.channel, text: "Hi there" }),
    });
  }
  return { statusCode: 200, body: message.challenge ?? "" };
};
