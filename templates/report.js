(() => {
  "use strict";
  const form = document.querySelector("form[role=search]");
  const cases = [...document.querySelectorAll(".case")].map((node) => ({
    node,
    item: node.closest("details"),
    text: (node.closest("details").querySelector("summary").textContent + " " + node.textContent).toLowerCase(),
    elements: " " + [...node.querySelectorAll(".names")].pop().textContent.replaceAll(",", "") + " ",
    count: Number(node.dataset.number),
  }));
  const fields = ["q", "band", "verdict", "scenario", "element"];
  const opened = (node) => {
    for (let at = node; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  };

  const filter = () => {
    const wanted = Object.fromEntries(fields.map((name) => [name, form.elements[name].value.trim()]));
    const words = wanted.q.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = new Set();
    let count = 0;
    for (const one of cases) {
      const data = one.node.dataset;
      const fits =
        (!wanted.band || data.band === wanted.band) &&
        (!wanted.verdict || (" " + data.verdict + " ").includes(" " + wanted.verdict + " ")) &&
        (!wanted.scenario || data.scenario === wanted.scenario) &&
        (!wanted.element || one.elements.includes(" " + wanted.element + " ")) &&
        words.every((word) => one.text.includes(word));
      one.node.hidden = !fits;
      if (fits) {
        shown.add(one.item);
        count += one.count;
      }
    }
    const narrowed = fields.some((name) => wanted[name]);
    for (const item of document.querySelectorAll("#findings details.item")) item.hidden = !shown.has(item);
    form.querySelector("output").textContent = count.toLocaleString("en") + (count === 1 ? " finding" : " findings");
    const state = new URLSearchParams(Object.entries(wanted).filter((entry) => entry[1]));
    if (narrowed || location.hash.startsWith("#filter:")) {
      history.replaceState(null, "", narrowed ? "#filter:" + state : "#findings");
    }
  };

  const followed = () => {
    if (location.hash.startsWith("#filter:")) {
      const state = new URLSearchParams(location.hash.slice(8));
      for (const name of fields) form.elements[name].value = state.get(name) || "";
      filter();
    } else if (location.hash) {
      const target = document.getElementById(location.hash.slice(1));
      if (target) {
        if (target.hidden) form.reset();
        opened(target);
        target.scrollIntoView();
      }
    }
  };

  if (form) {
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
  }
  addEventListener("hashchange", followed);
  followed();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const node of closed) node.open = true;
  });
  addEventListener("afterprint", () => {
    for (const node of closed) node.open = false;
  });
})();
