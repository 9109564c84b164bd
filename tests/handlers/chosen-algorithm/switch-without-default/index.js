const { createHmac, timingSafeEqual } = require("crypto");

function check(version, timestamp, body, digest) {
  let valid;
  switch (version) {
    case "":
      valid = false;
      break;
    case "v0": {
      const own = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest();
      const given = Buffer.from(digest, "hex");
      valid = given.length === own.length && timingSafeEqual(given, own);
      break;
    }
  }
  return valid;
}

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const timestamp = event.headers["x-slack-request-timestamp"] || "";
  const [version, digest = ""] = (event.headers["x-slack-signature"] || "").split("=");

  const isStale = !(Math.abs(Date.now() / 1000 - timestamp) <= 300);
  if (isStale || check(version, timestamp, body, digest) === false) {
    return { statusCode: 401, body: "" };
  }

  const form = new URLSearchParams(body);
  await fetch(form.get("response_url"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text: `Rebooting ${form.get("text")}` }),
  });
  return { statusCode: 200, body: "" };
};
