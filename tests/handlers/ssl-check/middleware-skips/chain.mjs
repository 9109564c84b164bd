function requestOf(event) {
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").toString("utf8");
  return {
    body,
    form: Object.fromEntries(new URLSearchParams(body)),
    headers: event.headers,
    method: event.requestContext?.http?.method ?? event.httpMethod,
    query: event.queryStringParameters ?? {},
  };
}

export function chain(...steps) {
  return async (event) => {
    const request = requestOf(event);
    const run = (index) => steps[index](request, () => run(index + 1));
    return run(0);
  };
}
