// What a compiler of TypeScript makes of a handler for an older target.
"use strict";
var __awaiter = (this && this.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};
Object.defineProperty(exports, "__esModule", { value: true });
exports.handler = void 0;
const crypto_1 = require("crypto");
const client_sqs_1 = require("@aws-sdk/client-sqs");
const sqs = new client_sqs_1.SQSClient({});
function isFromSlack(event) {
    var _a, _b, _c;
    const headers = {};
    for (const [name, value] of Object.entries((_a = event.headers) !== null && _a !== void 0 ? _a : {})) {
        headers[name.toLowerCase()] = value;
    }
    const secret = (_b = process.env.SLACK_SIGNING_SECRET) !== null && _b !== void 0 ? _b : "";
    const sent = headers["x-slack-request-timestamp"];
    const given = (_c = headers["x-slack-signature"]) !== null && _c !== void 0 ? _c : "";
    if (secret === "" || !/^\d{1,12}$/.test(sent) || Math.abs(Math.floor(Date.now() / 1000) - parseInt(sent, 10)) > 300) {
        return false;
    }
    const body = event.isBase64Encoded ? Buffer.from(event.body, "base64") : Buffer.from(event.body || "");
    const expected = `v0=${crypto_1.createHmac("sha256", secret).update(`v0:${sent}:`).update(body).digest("hex")}`;
    return given.length === expected.length && Buffer.byteLength(given) === expected.length
        && crypto_1.timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}
const handler = (event) => __awaiter(void 0, void 0, void 0, function* () {
    if (!isFromSlack(event)) {
        return { statusCode: 401, body: "" };
    }
    yield sqs.send(new client_sqs_1.SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: "work" }));
    return { statusCode: 200, body: "Working." };
});
exports.handler = handler;
