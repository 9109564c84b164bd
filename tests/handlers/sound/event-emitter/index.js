const { EventEmitter } = require("node:events");
const { createHmac, timingSafeEqual } = require("node:crypto");

const slack = new EventEmitter();

slack.on("app_mention", (event, pending) => {
  pending.push(
    fetch("https://slack.com/api/chat.postMessage", {
      method: "POST",
      headers: { authorization: `Bearer ${process.env.SLACK_BOT_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ channel: event.channel, text: `<@${event.user}> coming` }),
    }),
  );
});

function refuse(headers, body) {
  const secret = process.env.SLACK_SIGNING_SECRET;
  const timestamp = headers["x-slack-request-timestamp"];
  const signature = headers["x-slack-signature"];
  if (!secret || !timestamp || !signature) return true;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) return true;
  const own = `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
  return own.length !== signature.length || !timingSafeEqual(Buffer.from(own), Buffer.from(signature));
}

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString("utf8") : event.body;
  if (refuse(event.headers, body)) return { statusCode: 401 };
  const message = JSON.parse(body);
  if (message.type === "url_verification") return { statusCode: 200, body: message.challenge };
  const pending = [];
  if (message.type === "event_callback") slack.emit(message.event.type, message.event, pending);
  await Promise.all(pending);
  return { statusCode: 200 };
};
