const { createHmac, timingSafeEqual } = require("crypto");

const parsers = {
  "application/x-www-form-urlencoded"(headers, body) {
    const timestamp = headers["x-slack-request-timestamp"] || "";
    const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex");
    const own = Buffer.from(`v0=${mac}`);
    const sent = Buffer.from(headers["x-slack-signature"] || "");
    const fresh = timestamp !== "" && Math.abs(Date.now() / 1000 - timestamp) <= 300;
    if (!fresh || own.length !== sent.length || !timingSafeEqual(own, sent)) return null;
    return Object.fromEntries(new URLSearchParams(body));
  },
  "application/json"(headers, body) {
    return JSON.parse(body);
  },
};

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const [type] = (event.headers["content-type"] || "").split(";");
  const parse = parsers[type.trim().toLowerCase()];
  if (!parse) return { statusCode: 415, body: "" };
  const command = parse(event.headers, body);
  if (command === null) return { statusCode: 401, body: "" };
  await fetch(command.response_url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text: `Deploying ${command.text} for <@${command.user_id}>` }),
  });
  return { statusCode: 200, body: "" };
};
