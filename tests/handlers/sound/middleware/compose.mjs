export function compose(steps) {
  return (event) => {
    const next = (index) => async (request) => steps[index](request, next(index + 1));
    return next(0)({ event });
  };
}
