const { createHmac, timingSafeEqual } = require("crypto");

exports.verifySlack = function verifySlack(secret) {
  if (!secret) throw new Error("a signing secret is needed");
  return async (request, response, next) => {
    const timestamp = request.headers["x-slack-request-timestamp"] || "";
    const own = Buffer.from(
      `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${request.rawBody}`).digest("hex")}`,
    );
    const sent = Buffer.from(request.headers["x-slack-signature"] || "");
    const inTime = /^\d+$/.test(timestamp) && Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;
    if (!inTime || own.length !== sent.length || !timingSafeEqual(own, sent)) return response.status(401).send("");
    return next();
  };
};
