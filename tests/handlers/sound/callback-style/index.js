var crypto = require("crypto");
var https = require("https");

function lowerCased(headers) {
  return Object.keys(headers).reduce(function (all, name) {
    all[name.toLowerCase()] = headers[name];
    return all;
  }, {});
}

function authentic(event) {
  var headers = lowerCased(event.headers || {});
  var timestamp = headers["x-slack-request-timestamp"] || "";
  var signature = headers["x-slack-signature"] || "";
  var age = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (!process.env.SLACK_SIGNING_SECRET || timestamp === "" || !(age <= 300)) return false;
  var hash = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET);
  var expected = "v0=" + hash.update("v0:" + timestamp + ":" + event.body).digest("hex");
  if (signature.length !== expected.length) return false;
  return crypto.timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
}

exports.handler = function (event, context, callback) {
  if (!authentic(event)) return callback(null, { statusCode: 401, body: "" });
  var message = JSON.parse(event.body);
  if (message.type === "url_verification") return callback(null, { statusCode: 200, body: message.challenge });
  var options = {
    hostname: "slack.com",
    path: "/api/chat.postMessage",
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: "Bearer " + process.env.SLACK_BOT_TOKEN },
  };
  var request = https.request(options, function (answer) {
    answer.on("data", function () {});
    answer.on("end", function () {
      callback(null, { statusCode: 200, body: "" });
    });
  });
  request.on("error", callback);
  request.end(JSON.stringify({ channel: message.event.channel, text: "Done" }));
};
