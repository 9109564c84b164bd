class Response {
  constructor() {
    this.statusCode = 200;
  }

  status(code) {
    this.statusCode = code;
    return this;
  }

  send(body) {
    this.body = body;
    return this;
  }
}

module.exports = function express() {
  const steps = [];
  return {
    use: (step) => steps.push(step),
    post: (path, step) =>
      steps.push((request, response, next) =>
        request.method === "POST" && request.path === path ? step(request, response, next) : next(),
      ),
    lambda: () => async (event) => {
      const request = {
        method: event.requestContext.http.method,
        path: event.rawPath,
        headers: event.headers,
        rawBody: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").toString(),
      };
      const response = new Response();
      const run = async (index) =>
        index < steps.length ? steps[index](request, response, () => run(index + 1)) : response.status(404).send("");
      await run(0);
      return { statusCode: response.statusCode, body: response.body };
    },
  };
};
