/** Runs the steps before a function, in order. An HTTP error of a step is the answer. */
export function compose(work) {
  const steps = [];
  const handler = async (event, context) => {
    const request = { event, context, headers: Object.fromEntries(Object.entries(event.headers ?? {}).map(([k, v]) => [k.toLowerCase(), v])) };
    try {
      for (const step of steps) await step(request);
    } catch (error) {
      if (error.statusCode) return { statusCode: error.statusCode, body: '' };
      console.error('middleware failed:', error.name);
    }
    return work(request);
  };
  handler.use = (step) => {
    steps.push(step);
    return handler;
  };
  return handler;
}
