(() => {
  "use strict";
  const form = document.querySelector("form[role=search]");
  const fields = form ? [...form.elements].map((field) => field.name).filter(Boolean) : [];
  const lines = [...document.querySelectorAll(".case, .ruled-out")].map((node) => {
    const item = node.closest("details.item, .issue");
    const head = item ? item.querySelector("summary, .case-head").textContent : "";
    const names = [...node.querySelectorAll(".names")].pop();
    return {
      node,
      item,
      text: (head + " " + node.textContent).toLowerCase(),
      elements: " " + (names ? names.textContent.replaceAll(",", "") : "") + " ",
      count: Number(node.dataset.number || 0),
    };
  });
  const opened = (node) => {
    for (let at = node; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  };

  const filter = () => {
    const wanted = Object.fromEntries(fields.map((name) => [name, form.elements[name].value.trim()]));
    const words = (wanted.q || "").toLowerCase().split(/\s+/).filter(Boolean);
    const data = fields.filter((name) => name !== "q" && name !== "element" && wanted[name]);
    const shown = new Set();
    let count = 0;
    for (const one of lines) {
      const fits =
        data.every((name) => (" " + (one.node.dataset[name] || "") + " ").includes(" " + wanted[name] + " ")) &&
        (!wanted.element || one.elements.includes(" " + wanted.element + " ")) &&
        words.every((word) => one.text.includes(word));
      one.node.hidden = !fits;
      if (fits) {
        shown.add(one.item);
        count += one.count;
      }
    }
    const narrowed = fields.some((name) => wanted[name]);
    for (const item of new Set(lines.map((one) => one.item))) if (item) item.hidden = !shown.has(item);
    const found = count.toLocaleString("en") + (count === 1 ? " finding" : " findings");
    form.querySelector("output").textContent = count ? found : "No finding fits: clear a field";
    const state = new URLSearchParams(Object.entries(wanted).filter((entry) => entry[1]));
    if (narrowed || location.hash.startsWith("#filter:")) {
      history.replaceState(null, "", narrowed ? "#filter:" + state : "#" + form.closest("section").id);
    }
  };

  const followed = () => {
    if (!form) return;
    if (location.hash.startsWith("#filter:")) {
      const state = new URLSearchParams(location.hash.slice(8));
      for (const name of fields) form.elements[name].value = state.get(name) || "";
      filter();
      form.scrollIntoView();
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
    if (!location.hash.startsWith("#filter:")) filter();
  }
  addEventListener("hashchange", followed);
  followed();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details.item:not([open])")];
    for (const node of closed) node.open = true;
  });
  addEventListener("afterprint", () => {
    for (const node of closed) node.open = false;
  });
})();
