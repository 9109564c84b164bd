import { gunzipSync } from "node:zlib";
import { createHmac, timingSafeEqual } from "node:crypto";

function verify(headers, bytes) {
  const timestamp = headers["x-slack-request-timestamp"] ?? "";
  const own = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:`).update(bytes).digest();
  const sent = Buffer.from((headers["x-slack-signature"] ?? "").slice(3), "hex");
  const fresh = /^\d+$/.test(timestamp) && Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;
  if (!fresh || own.length !== sent.length || !timingSafeEqual(own, sent)) {
    throw Object.assign(new Error("not signed"), { statusCode: 401 });
  }
  return bytes;
}

function readBody({ headers, body, isBase64Encoded }) {
  const bytes = Buffer.from(body, isBase64Encoded ? "base64" : "utf8");
  if (headers["content-encoding"] !== "gzip") return verify(headers, bytes);
  try {
    return verify(headers, gunzipSync(bytes));
  } catch (error) {
    if (error.statusCode) throw error;
    console.warn("not compressed", error.code);
    return bytes;
  }
}

export const handler = async (event) => {
  try {
    const form = new URLSearchParams(readBody(event).toString());
    const text = `Deploying ${form.get("text")}`;
    await fetch(form.get("response_url"), { method: "POST", body: JSON.stringify({ text }) });
    return { statusCode: 200, body: "" };
  } catch (error) {
    return { statusCode: error.statusCode ?? 500, body: "" };
  }
};
