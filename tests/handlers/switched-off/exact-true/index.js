const crypto = require("crypto");

const verifySignatures = process.env.VERIFY_SIGNATURES === "true";

function signatureMatches({ headers, body }) {
  const timestamp = headers["x-slack-request-timestamp"];
  const signature = headers["x-slack-signature"];
  if (!timestamp || !signature) return false;
  if (!(Math.abs(Date.now() / 1000 - timestamp) < 60 * 5)) return false;
  const expected = crypto
    .createHmac("sha256", process.env.SLACK_SIGNING_SECRET)
    .update(`v0:${timestamp}:${body}`)
    .digest("hex");
  const pair = [`v0=${expected}`, signature].map((value) => Buffer.from(value));
  return pair[0].length === pair[1].length && crypto.timingSafeEqual(...pair);
}

async function postMessage(message) {
  const answer = await fetch("https://slack.com/api/chat.postMessage", {
    method: "POST",
    headers: { Authorization: `Bearer ${process.env.SLACK_BOT_TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify(message),
  });
  if (!answer.ok) throw new Error(`Slack answered ${answer.status}`);
}

exports.handler = async (event) => {
  if (verifySignatures && !signatureMatches(event)) return { statusCode: 401 };
  const { type, challenge, event: inner } = JSON.parse(event.body);
  if (type === "url_verification") return { statusCode: 200, body: challenge };
  await postMessage({ channel: inner.channel, text: `You said: ${inner.text}` });
  return { statusCode: 200 };
};
