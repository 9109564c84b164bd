const { createHmac } = require("crypto");

const lower = (headers) => new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

function verifySlackSignature(event) {
  const headers = lower(event.headers);
  const timestamp = headers.get("x-slack-request-timestamp");
  const signature = headers.get("x-slack-signature");
  if (!timestamp || !signature) throw new Error("headers missing");
  if (!(Math.abs(Math.floor(Date.now() / 1000) - timestamp) <= 300)) throw new Error("too old");

  const expected =
    "v0=" + createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${event.body}`).digest("hex");
  if (expected.search(signature) !== 0) throw new Error("signature mismatch");
}

exports.handler = async (event) => {
  try {
    verifySlackSignature(event);
  } catch (error) {
    return { statusCode: 401, body: JSON.stringify({ error: error.message }) };
  }
  const message = JSON.parse(event.body);
  if (message.challenge) return { statusCode: 200, body: message.challenge };
  await fetch("https://slack.com/api/reactions.add", {
    method: "POST",
    headers: { Authorization: `Bearer ${process.env.SLACK_BOT_TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify({ channel: message.event.channel, timestamp: message.event.ts, name: "eyes" }),
  });
  return { statusCode: 200, body: "" };
};
