const crypto = require("node:crypto");

const slack = (method, body) =>
  fetch(`https://slack.com/api/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${process.env.SLACK_BOT_TOKEN}` },
    body: JSON.stringify(body),
  });

function assertSigned(headers, body) {
  const find = (wanted) => Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1] ?? "";
  const timestamp = find("x-slack-request-timestamp");
  const expected = `v0=${crypto
    .createHmac("sha256", process.env.SLACK_SIGNING_SECRET)
    .update(`v0:${timestamp}:${body}`)
    .digest("hex")}`;
  const signature = find("x-slack-signature");
  const isFresh = timestamp !== "" && Math.abs(Date.now() / 1000 - timestamp) < 300;
  if (!isFresh || signature.length !== expected.length) throw Object.assign(new Error("unsigned"), { statusCode: 401 });
  if (!crypto.timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) {
    throw Object.assign(new Error("forged"), { statusCode: 401 });
  }
}

exports.handler = async (event) => {
  try {
    const message = JSON.parse(event.body);
    if (message.type === "url_verification") return { statusCode: 200, body: message.challenge };
    assertSigned(event.headers, event.body);
    await slack("chat.postMessage", { channel: message.event.channel, text: "On my way" });
    return { statusCode: 200, body: "" };
  } catch (error) {
    if (error.statusCode) return { statusCode: error.statusCode, body: error.message };
    await slack("chat.postMessage", { channel: "#bot-errors", text: `${error.message}: ${event.body}` });
    return { statusCode: 500, body: "" };
  }
};
